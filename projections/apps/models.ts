import type { AnyProjection } from '../rows/projection.ts'
import { deliveries } from './deliveries.ts'
import { webhooks } from './webhooks.ts'

export const appsModels: readonly AnyProjection[] = [webhooks, deliveries]
