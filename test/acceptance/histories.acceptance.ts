/** Real documents: every revision is saved as a version of an item book, and read, compared and given back. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { applyPatch } from 'diff'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { checkRows, commandsOf } from './checks.ts'
import { dataSet } from './data-sets.ts'

type Revision = { readonly n: number; readonly sha256: string; readonly ops: readonly [number, number, string[]][] }

type Saved = { readonly name: string; readonly revisions: readonly Revision[]; readonly versions: number[] }

const NAMES = ['commonmark_spec', 'commonmark_changelog', 'merkle_readme', 'node_semver_readme']
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** The text after each revision. */
function* textsOf(revisions: readonly Revision[]): Generator<string> {
  let lines: string[] = []
  for (const { ops } of revisions) {
    const next: string[] = []
    let at = 0
    for (const [start, deleted, inserted] of ops) {
      next.push(...lines.slice(at, start), ...inserted)
      at = start + deleted
    }
    lines = [...next, ...lines.slice(at)]
    yield lines.join('\n')
  }
}

describe('histories: documents with every revision as item books', function () {
  const set = dataSet(this, 'histories', ...NAMES.map(name => `${name}.jsonl`))
  const saved: Saved[] = !set.oracle
    ? []
    : NAMES.map(name => {
        const lines = set.text(`${name}.jsonl`).trimEnd().split('\n')
        return { name, revisions: lines.map(line => JSON.parse(line) as Revision), versions: [] }
      })
  let system: System
  let client: Client
  let position = '0'
  const book = (name: string) => `/api/v1/kbfc/items/${name}/book`

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('histories')
    const command = commandsOf(client)
    for (const { name, revisions, versions } of saved) {
      await command('POST', '/api/v1/kbfc/items', name, { id: name, name, type: 'document' })
      let version = 0
      for (const text of textsOf(revisions)) {
        const answer = await command('PUT', book(name), `${name} ${versions.length}`, { details: text })
        expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
        version = answer.body.data.events[0]?.data.version ?? version
        versions.push(version)
        position = String(answer.headers['kogi-position'])
      }
    }
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  async function read(path: string) {
    const waiting = `${path}${path.includes('?') ? '&' : '?'}at_least=${position}&wait=30000`
    const answer = await client.call('GET', waiting)
    expect(answer.status, `${path} ${JSON.stringify(answer.body).slice(0, 500)}`).to.equal(200)
    return answer.body.data
  }
  const textOf = async (name: string, version: number): Promise<string> =>
    (await read(`${book(name)}?version=${version}`)).details

  it('gives the text after every revision', async () => {
    for (const { name, revisions, versions } of saved) {
      expect(revisions).to.have.length(set.oracle[name].revisions)
      for (const [n, { sha256: wanted }] of revisions.entries()) {
        expect(sha256(await textOf(name, versions[n]!)), `${name} ${n + 1}`).to.equal(wanted)
      }
      expect(sha256((await read(book(name))).details)).to.equal(set.oracle[name].final_sha256)
    }
  })

  it('says what changed between two of them, as a diff that makes the later of the earlier', async () => {
    for (const { name, versions } of saved) {
      const newest = versions.at(-1)!
      for (const [from, to] of [
        [1, 2],
        [newest - 1, newest],
        [1, newest],
        [newest, 1],
      ] as const) {
        if (from < 1 || from === to) continue
        const [before, after] = [await textOf(name, from), await textOf(name, to)]
        const { diff, parts } = await read(`${book(name)}/diff?from=${from}&to=${to}`)
        expect(parts).to.have.length(1)
        expect(applyPatch(before, diff) === after, `${name} ${from} ${to}`).to.equal(true)
      }
    }
  })

  it('gives any version back, and loses none', async () => {
    for (const { name, revisions, versions } of saved) {
      const middle = Math.floor(revisions.length / 2)
      const body = { version: versions[middle] }
      const { status, headers } = await client.call('POST', `${book(name)}/restore`, { body })
      expect(status).to.equal(200)
      position = String(headers['kogi-position'])
      const { details, version } = await read(book(name))
      expect([sha256(details), version]).to.deep.equal([revisions[middle]!.sha256, versions.at(-1)! + 1])
      expect(sha256(await textOf(name, versions.at(-1)!))).to.equal(set.oracle[name].final_sha256)
    }
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
