/** PostgreSQL refuses rows of an index beyond a third of a page, and a refused row stops its read model. */
import { expect } from 'chai'
import type { z } from 'zod'
import { projections } from '../../infra/catalogue.ts'
import { createIndexes, createTables } from '../../projections/rows/tables.ts'

const ROW_BYTES_MAX = 2704
/** Of a row's header and the alignment and length of each of its values. */
const HEADER_BYTES = 24
const VALUE_BYTES = 8
/** Organizations are named by who issues tokens, not by clients. */
const ORG_BYTES = 100
const LONGEST = 4096

/** The most bytes that a text of a schema takes in UTF-8, and what any other value does. */
function widest(name: string, schema: z.ZodType): number {
  if (name === 'org') return ORG_BYTES
  const widths = ['a', '0', '\u6F22', '\u{20000}'].map(letter => {
    let [fits, over] = [0, LONGEST + 1]
    while (over - fits > 1) {
      const middle = (fits + over) >> 1
      if (schema.safeParse(letter.repeat(middle)).success) fits = middle
      else over = middle
    }
    return fits * Buffer.byteLength(letter)
  })
  return Math.max(32, ...widths)
}

describe('projections: indexes', () => {
  it('take the widest rows that there can be', () => {
    const seen = new Map<z.ZodType, number>()
    const tooWide: string[] = []
    for (const model of projections) {
      for (const statement of [...createTables(model), ...createIndexes(model)]) {
        const list = /(?:primary key|index .* on "[^"]+") (\(.*?\)(?: include \(.*?\))?)/.exec(statement)?.[1]
        const columns = list?.match(/(?<=")[^",]+(?=")/g) ?? []
        const bytes = columns.map(name => {
          const schema = model.row.shape[name] as z.ZodType | undefined
          if (!schema) return VALUE_BYTES
          const width = seen.get(schema) ?? widest(name, schema)
          seen.set(schema, width)
          return width + VALUE_BYTES
        })
        const row = bytes.reduce((sum, each) => sum + each, HEADER_BYTES)
        if (row > ROW_BYTES_MAX) tooWide.push(`${model.name} (${columns.join(', ')}): ${row} bytes`)
      }
    }
    expect(tooWide).to.deep.equal([])
    expect(seen.size).to.be.greaterThan(100)
  })
})
