import type { AnyProjection } from '../rows/projection.ts'
import { balances } from './balances.ts'
import { entries } from './entries.ts'
import { holds } from './holds.ts'
import { postings } from './postings.ts'
import { wallets } from './wallets.ts'

export const walletModels: readonly AnyProjection[] = [wallets, balances, entries, postings, holds]
