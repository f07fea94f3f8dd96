/** The tables of read models by their versions: a table that exists keeps its columns until its version is raised. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import { createTables } from '../../projections/rows/tables.ts'

const FILE = new URL('shapes.json', import.meta.url)
type Shapes = Readonly<Record<string, string>>

/** Version, and digest of columns, types and keys; indexes are no part of it: those that are absent are built. */
const shapes: Shapes = Object.fromEntries(
  projections
    .map(projection => {
      const statements = createTables({ ...projection, version: 0 }).join('\n')
      const digest = createHash('sha256').update(statements).digest('hex').slice(0, 16)
      return [projection.name, `${projection.version} ${digest}`] as const
    })
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)

describe('the shapes of read models', () => {
  it('change with a higher version alone, and are noted in shapes.json', () => {
    const noted: Shapes = JSON.parse(readFileSync(FILE, 'utf8'))
    const unraised = Object.keys(shapes).filter(name => {
      const [before, now] = [noted[name] ?? shapes[name]!, shapes[name]!].map(shape => shape.split(' '))
      return before![1] !== now![1] && Number(now![0]) <= Number(before![0])
    })
    expect(unraised, 'raise the versions of these read models: their columns changed').to.deep.equal([])
    if (process.env.KOGI_NOTE_SHAPES === '1') writeFileSync(FILE, `${JSON.stringify(shapes, null, 2)}\n`)
    else expect(shapes, 'note the new shapes: KOGI_NOTE_SHAPES=1').to.deep.equal(noted)
  })
})
