import { expect } from 'chai'
import fc from 'fast-check'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { arrayLiteral, CopyLines, lineOf } from '../../projections/rows/encode.ts'
import { PipelineError, runPipeline, type Statement } from '../../projections/rows/pipeline.ts'
import type { Row, TableColumn } from '../../projections/rows/tables.ts'
import { freshDatabase } from '../support/postgres.ts'

const column = (name: string, type: TableColumn['type'], nullable = true) => ({ name, type, nullable }) as TableColumn
const columns = [
  column('n', 'bigint', false),
  column('a "quoted", \\ name', 'text'),
  column('sum', 'numeric'),
  column('many', 'jsonb'),
  column('yes', 'boolean'),
]

// What no column holds is refused long before: U+0000 and halves of surrogate pairs.
const text = fc.string({ unit: 'grapheme' }).filter(value => !value.includes('\0'))
const awkward = fc.constantFrom('', '\\N', '\\.', '\\', '"', '{}', 'NULL', 'a\tb', 'a\nb', 'a\r\nb', '\\\\n', "'", '𝄞')
const row = fc.record({
  'a "quoted", \\ name': fc.option(fc.oneof(text, awkward)),
  sum: fc.option(fc.bigInt(-(10n ** 38n), 10n ** 38n)),
  many: fc.option(fc.array(fc.oneof(text, awkward), { maxLength: 3 })),
  yes: fc.option(fc.boolean()),
})

/** What messages hold behind their headers, whose lengths must be theirs. */
const textOf = (lines: CopyLines) =>
  lines.messages
    .map(message => {
      expect(message.readUInt32BE(1)).to.equal(message.length - 1)
      return message.toString('utf8', 5)
    })
    .join('')

describe('projections: rows as PostgreSQL reads them', () => {
  let pool: Pool
  before(async () => {
    pool = createPool({ url: await freshDatabase(), name: 'read', log: silentLog, max: 2 })
    await pool.query(
      `create table t (n bigint not null, "a ""quoted"", \\ name" text, sum numeric, many jsonb, yes boolean)`,
    )
  })
  after(() => pool.end())

  async function write(statements: readonly Statement[]): Promise<void> {
    const client = await pool.connect()
    let broken: true | undefined
    try {
      await runPipeline(client, statements)
    } catch (error) {
      broken = true
      throw error
    } finally {
      client.release(broken)
    }
  }
  const copied = (rows: readonly Row[]): Statement => {
    const lines = new CopyLines()
    const line = lineOf(columns)
    for (const each of rows) lines.add(line, each)
    expect(lines.count).to.equal(rows.length)
    return { copy: 't', messages: lines.messages }
  }
  const unnested = (rows: readonly Row[]): Statement => ({
    name: 'unnested',
    text: `insert into t select * from unnest(${columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')})`,
    values: columns.map(each => arrayLiteral(each, rows)),
  })

  it('come back as they were, by COPY and by arrays, whatever they hold', async function any() {
    this.timeout(30_000)
    const rowList = fc.array(row, { minLength: 1, maxLength: 150 })
    await fc.assert(
      fc.asyncProperty(rowList, async given => {
        const rows = given.map((each, at) => ({ n: BigInt(at), ...each }))
        for (const statement of [copied(rows), unnested(rows)]) {
          await pool.query('truncate t')
          await write([statement])
          const { rows: found } = await pool.query('select t.*, sum::text as sum from t order by n')
          expect(
            found.map(({ n, sum, ...rest }) => ({ n: BigInt(n), sum: sum === null ? null : BigInt(sum), ...rest })),
          ).to.deep.equal(rows)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('are refused by the database where a value is missing, rather than stored as the word for it', async () => {
    for (const n of [undefined, null]) {
      const refused = await write([copied([{ n, yes: true }])]).catch((error: unknown) => error)
      expect(refused).to.be.instanceOf(PipelineError).with.property('code', '23502')
    }
  })

  it('carry fields behind the columns of a row', () => {
    const lines = new CopyLines()
    lines.add(lineOf(columns, 2), { n: 7n, many: ['a\tb', 1n], yes: false }, '42', 't')
    expect(textOf(lines)).to.equal('7\t\\N\t\\N\t["a\\\\tb","1"]\tf\t42\tt\n')
  })

  it('leave nothing of a row that cannot be written, and go on in the next message with whole lines', () => {
    const lines = new CopyLines()
    const pair = [column('a', 'text'), column('b', 'text')]
    const write = lineOf(pair)
    let wanted = ''
    for (let n = 0; n < 400; n += 1) {
      const a = 'x'.repeat((n * n * 7) % 1500)
      expect(() => lines.add(write, { a: 'y'.repeat(n), b: Symbol('none') })).to.throw(TypeError)
      lines.add(write, { a, b: `ü${n}` })
      wanted += `${a}\tü${n}\n`
    }
    lines.add(write, { a: 'z'.repeat(200_000), b: '' })
    expect(lines.count).to.equal(401)
    expect(textOf(lines) === `${wanted}${'z'.repeat(200_000)}\t\n`).to.equal(true)
    expect(lines.messages.length).to.be.within(5, 100)
    for (const message of lines.messages) expect(message.at(-1)).to.equal(10)
  })
})
