import type { AnyProjection } from '../rows/projection.ts'
import { notes } from './notes.ts'

export const officeModels: readonly AnyProjection[] = [notes]
