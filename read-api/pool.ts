import type { QueryConfig } from 'pg'

/** A query whose rows come as arrays. */
export type RowsQuery = QueryConfig<unknown[]> & { rowMode: 'array' }

/** The connections of the read models' database, as reads use them. */
export type ReadPool = { query(config: RowsQuery): Promise<{ rows: unknown[][] }> }
