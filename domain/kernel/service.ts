import type { AnyAggregate } from './aggregate.ts'

/** The roles that a token can name, with what they are for. Only what a service grants to a role is allowed to it. */
export const ROLES = [
  'platform-admin',
  'organization-admin',
  'team-lead',
  'team-member',
  'contributor',
  'viewer',
  'guest',
  'auditor',
] as const
export type Role = (typeof ROLES)[number]

/** Roles that hold every permission of their organization without being named by a service. */
export const ADMIN_ROLES: readonly Role[] = ['platform-admin', 'organization-admin']

/** One service of the platform: what it consists of, and who may do what in it. */
export type Service = {
  /** Short code in paths and tags: `kwlt`. */
  readonly code: string
  /** The word that its permissions begin with, and the name of its folders: `wallet`. */
  readonly word: string
  /** What people call it, for the documentation. */
  readonly title: string
  readonly aggregates: readonly AnyAggregate[]
  /**
   * Permissions of each role, as patterns of `resource.action` in which `*` stands for any: `*.read`, `notes.*`. The
   * roles of `ADMIN_ROLES` have all permissions.
   */
  readonly roles: Readonly<Partial<Record<Role, readonly string[]>>>
  /** Permissions that no role but the administrators' is meant to hold. */
  readonly adminOnly?: readonly string[]
}

/** Returns its argument: a definition is data. */
export const service = (definition: Service) => definition
