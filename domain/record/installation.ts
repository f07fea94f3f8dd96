/** What is of the whole installation, and of no organization. */
import type { Service } from '../kernel/service.ts'

/** In the place of an org. No token can name it. */
export const PLATFORM_ORG = '~platform'

/** Whether the things of a service are of the installation: `platform-admin` alone holds its permissions. */
export const isOfInstallation = ({ word }: Pick<Service, 'word'>): boolean => word === 'platform'
