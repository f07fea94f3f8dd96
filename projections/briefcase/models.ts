import type { AnyProjection } from '../rows/projection.ts'
import { items } from './items.ts'

export const briefcaseModels: readonly AnyProjection[] = [items]
