import type { AnyProjection } from '../rows/projection.ts'
import { briefcases } from './briefcases.ts'
import { itemPlaces } from './item-places.ts'
import { itemShares } from './item-shares.ts'
import { itemValues } from './item-values.ts'
import { items } from './items.ts'

export const briefcaseModels: readonly AnyProjection[] = [items, itemPlaces, itemValues, itemShares, briefcases]
