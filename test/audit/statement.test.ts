import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { expect } from 'chai'
import { toWire } from '../../domain/kernel/json.ts'
import { projections } from '../../infra/catalogue.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { verifierOf } from '../../projections/notary/note.ts'
import { ProofFault } from '../../projections/notary/proof.ts'
import {
  type OpenedStatement,
  openStatement,
  type Statement,
  signStatement,
} from '../../projections/notary/row-statement.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import { keyOfRow } from '../../projections/rows/proved.ts'
import { AuditFault, eventOf } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { checkStatement } from '../../read-api/audit/statement-check.ts'
import { naiveRoot } from '../notary/naive-map.ts'
import { books, CHECK, exported, inFolder, linesOf, readFiles } from './support.ts'

const LOG = 'example.com/kogi'
const ORIGIN = `${LOG}/org/north`
const model = projections.find(({ name }) => name === 'balances')!

type Json = Readonly<Record<string, unknown>>
const sorted = (value: Json) => JSON.stringify(Object.fromEntries(Object.entries(value).toSorted()))

describe('a statement about rows beside an export', () => {
  const history = books(9)
  const north = history.events.filter(({ metadata }) => metadata.org === 'north')

  /** What is true of the first events, from all of them at once. */
  async function statementOf(lines: readonly string[], size: number): Promise<Statement> {
    const tree = new Tree()
    for (const line of lines.slice(0, size)) tree.add(leafHash(leafOf(eventOf(JSON.parse(line)))))
    const folded = sortedRows(await fold([model], north.slice(0, size)), model).map(row => toWire(row) as Json)
    const root = naiveRoot(folded.map(row => ({ key: sorted(keyOfRow(model, row)), row: sorted(row) })))
    const log = { origin: ORIGIN, size, root: tree.root }
    return { model: 'balances', version: model.version, rows: folded.length, root, log, position: 1n }
  }
  const withExport = <T>(
    use: (
      check: (statement: Statement, verified?: readonly string[]) => Promise<string>,
      lines: readonly string[],
    ) => Promise<T>,
  ) =>
    inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      const check = (statement: Statement, verified: OpenedStatement['verified'] = [LOG]) =>
        checkStatement(folderSource(out), { ...statement, verified }, CHECK).then(
          () => 'holds',
          error => {
            if (error instanceof ProofFault || error instanceof AuditFault) return error.code
            throw error
          },
        )
      return use(check, linesOf(await readFiles(out)))
    })

  it('holds for every size of the log', () =>
    withExport(async (check, lines) => {
      expect(lines).to.have.length(north.length)
      for (let size = 1; size <= lines.length; size += 2) {
        expect(await check(await statementOf(lines, size)), `${size}`).to.equal('holds')
      }
    }))

  it('is refused where it is about other rows, other events or another log', () =>
    withExport(async (check, lines) => {
      const [whole, before] = [await statementOf(lines, lines.length), await statementOf(lines, 5)]
      const { log } = whole
      expect(await check({ ...whole, root: before.root })).to.equal('rows_differ')
      expect(await check({ ...whole, rows: 2 })).to.equal('rows_differ')
      expect(await check({ ...before, log })).to.equal('rows_differ')
      expect(await check({ ...whole, log: { ...log, root: before.log.root } })).to.equal('events_differ')
      expect(await check({ ...whole, log: { ...log, size: log.size + 1 } })).to.equal('export_too_short')
      expect(await check({ ...whole, log: { ...log, origin: `${ORIGIN}-2` } })).to.equal('origin_differs')
      for (const origin of ['other.example/org/north', `other.example/${ORIGIN}`, `${ORIGIN}/org/north`]) {
        expect(await check({ ...whole, log: { ...log, origin } }), origin).to.equal('origin_differs')
      }
      expect(await check(whole, ['other.example'])).to.equal('origin_differs')
      expect(await check(whole, ['other.example', LOG])).to.equal('holds')
      expect(await check({ ...whole, version: 999 })).to.equal('model_unknown')
    }))

  it('is a note that says all of it', async () => {
    const signer = { name: 'example.com/kogi', privateKey: generateKeyPairSync('ed25519').privateKey }
    const statement = await withExport((_, lines) => statementOf(lines, 7))
    const note = signStatement(statement, [signer])
    const { verified, ...opened } = openStatement(note, [verifierOf(signer)])
    expect(opened).to.deep.equal(statement)
    expect(verified).to.deep.equal(['example.com/kogi'])
    expect(note.split('\n')[0]).to.equal(`${ORIGIN}/rows/balances/v${model.version}`)
  })
})
