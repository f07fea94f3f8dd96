import type { AnyProjection } from '../rows/projection.ts'
import { bookSections } from './book-sections.ts'
import { briefcases } from './briefcases.ts'
import { itemBinders } from './item-binders.ts'
import { itemBooks } from './item-books.ts'
import { itemFiles } from './item-files.ts'
import { itemLibraries } from './item-libraries.ts'
import { itemPlaces } from './item-places.ts'
import { itemShares } from './item-shares.ts'
import { itemTemplates } from './item-templates.ts'
import { itemValues } from './item-values.ts'
import { itemWorkspaces } from './item-workspaces.ts'
import { items } from './items.ts'
import { libraryAssets } from './library-assets.ts'

export const briefcaseModels: readonly AnyProjection[] = [
  items,
  itemPlaces,
  itemValues,
  itemShares,
  briefcases,
  itemBooks,
  bookSections,
  itemFiles,
  itemWorkspaces,
  itemBinders,
  itemLibraries,
  libraryAssets,
  itemTemplates,
]
