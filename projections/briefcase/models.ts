import type { AnyProjection } from '../rows/projection.ts'
import { bookSections } from './book-sections.ts'
import { briefcases } from './briefcases.ts'
import { itemBooks } from './item-books.ts'
import { itemFiles } from './item-files.ts'
import { itemPlaces } from './item-places.ts'
import { itemShares } from './item-shares.ts'
import { itemValues } from './item-values.ts'
import { items } from './items.ts'

export const briefcaseModels: readonly AnyProjection[] = [
  items,
  itemPlaces,
  itemValues,
  itemShares,
  briefcases,
  itemBooks,
  bookSections,
  itemFiles,
]
