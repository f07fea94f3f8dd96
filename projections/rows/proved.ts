/** Which read models can be proved: those whose rows are read one by one, by their whole key, at any position. */
import { hasHistory } from './as-of.ts'
import type { AnyProjection } from './projection.ts'

/** A read as far as it says which rows it shows. */
type ReadOfRows = {
  readonly parents?: Readonly<Record<string, string>>
  readonly names: readonly string[]
  readonly where?: object
  readonly since?: string | undefined
}

/** Whether a single row of a read can have a proof: its path names the whole key, and shows whatever row has it. */
export const isProvable = (
  projection: AnyProjection,
  { parents = {}, names, where = {}, since }: ReadOfRows,
): boolean =>
  projection.key[0] === 'org' &&
  hasHistory(projection) &&
  since === undefined &&
  Object.keys(where).length === 0 &&
  [...Object.values(parents), ...names].toSorted().join() === projection.key.slice(1).toSorted().join()

/** The models that a deployment can name. */
export const provableOf = (models: readonly AnyProjection[]): readonly AnyProjection[] =>
  models.filter(projection => projection.reads?.some(read => isProvable(projection, read)))

/** The columns of the key of a row. */
export const keyOfRow = <V>(projection: AnyProjection, row: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries((projection.key as readonly string[]).map(name => [name, row[name]!]))
