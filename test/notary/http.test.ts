import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { openCheckpoint } from '../../projections/notary/checkpoint.ts'
import { isConsistent, leafHash, Tree } from '../../projections/notary/merkle.ts'
import type { Verifier } from '../../projections/notary/note.ts'
import { checkProof } from '../../projections/notary/proof.ts'
import { tilePath, WIDTH, widthOf } from '../../projections/notary/tiles.ts'
import { verifierIn } from '../../scripts/log-keys.ts'
import { inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'

const run = promisify(execFile)
const ITEMS = 300
const ORG = '/api/v1/kmg/audit/log'
const PLATFORM = '/api/v1/kmg/platform/log'

/** Reads tiles with Go's own package, which checks every hash against the root, and proves every leaf from them. */
const GO = `package main
import ("fmt"; "os"; "path/filepath"; "strconv"; "strings")
import ("golang.org/x/mod/sumdb/note"; "golang.org/x/mod/sumdb/tlog")
func must(err error) { if err != nil { fmt.Println(err); os.Exit(1) } }
type folder string
func (f folder) Height() int { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
  for _, tile := range tiles {
    place := strings.TrimPrefix(tile.Path(), "tile/8/")
    data, err := os.ReadFile(filepath.Join(string(f), place))
    if err != nil { return nil, err }
    all = append(all, data)
  }
  return
}
func main() {
  text, err := os.ReadFile(os.Args[2]); must(err)
  verifier, err := note.NewVerifier(os.Args[1]); must(err)
  opened, err := note.Open(text, note.VerifierList(verifier)); must(err)
  parts := strings.Split(opened.Text, "\\n")
  size, err := strconv.ParseInt(parts[1], 10, 64); must(err)
  root, err := tlog.ParseHash(parts[2]); must(err)
  tree := tlog.Tree{N: size, Hash: root}
  reader := tlog.TileHashReader(tree, folder(os.Args[3]))
  for n := int64(0); n < size; n++ {
    hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)}); must(err)
    proof, err := tlog.ProveRecord(size, n, reader); must(err)
    must(tlog.CheckRecord(proof, size, root, n, hashes[0]))
  }
  fmt.Println("holds")
}
`

describe('the notary over HTTP', function http() {
  this.timeout(180_000)
  let system: System
  let folder: string
  let verifiers: readonly Verifier[]
  let key: string
  const tokens = new Map<string, string>()
  const token = async (org: string, role: string) => {
    const name = `${org} ${role}`
    const made = tokens.get(name) ?? (await system.kogi('token', '--org', org, '--subject', 'tester', '--role', role))
    tokens.set(name, made.trim())
    return made.trim()
  }
  const get = async (place: string, org = 'acme', role = 'auditor') =>
    fetch(`${system.url}${place}`, { headers: { authorization: `Bearer ${await token(org, role)}` } })
  const text = async (...args: Parameters<typeof get>) => (await get(...args)).text()
  const bytes = async (...args: Parameters<typeof get>) => {
    const answer = await get(...args)
    if (answer.status !== 200) throw new Error(`${args[0]}: ${await answer.text()}`)
    return Buffer.from(await answer.arrayBuffer())
  }
  const operator = (place: string) => [`${PLATFORM}${place}`, 'acme', 'platform-admin'] as const
  const headOf = (note: string) => openCheckpoint(note, verifiers)

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-notary-http-'))
    system = await startSystem()
    const [acme, other] = [await system.clientOf('acme'), await system.clientOf('other')]
    await inLanes(
      Array.from({ length: ITEMS }, (_, n) => n),
      8,
      async n => {
        await acme.call('POST', '/api/v1/kbfc/items', { body: { id: `i-${n}`, name: `${n}` } })
        if (n % 10 === 0) await other.call('POST', '/api/v1/kbfc/items', { body: { id: `i-${n}`, name: `${n}` } })
      },
    )
    acme.close()
    other.close()
    const status = async () => JSON.parse(await system.kogi('notary', '--json', '--data', system.data))
    for (let now = await status(); now.state !== 'sealed' || now.size < ITEMS; now = await status()) {
      key = now.keys[0]
      await sleep(200)
    }
    key = (await status()).keys[0]
    verifiers = [await verifierIn(key)]
  })
  after(async () => {
    await system?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  it('serves the tree of an org as tiles and entries that lead to its signed checkpoint', async () => {
    const { origin, size, root } = headOf(await text(`${ORG}/checkpoint`))
    expect([origin, size]).to.deep.equal(['kogi.local/org/acme', ITEMS])
    const tree = new Tree()
    for (let index = 0; index * WIDTH < size; index += 1) {
      const width = widthOf({ level: 0, index }, size)
      const tile = await bytes(`${ORG}/tile/0/${tilePath({ index, width })}`)
      const entries = await bytes(`${ORG}/tile/entries/${tilePath({ index, width })}`)
      let at = 0
      for (let n = 0; n < width; n += 1) {
        const end = at + 2 + entries.readUInt16BE(at)
        const leaf = leafHash(entries.subarray(at + 2, end))
        expect(tile.subarray(n * 32, n * 32 + 32).equals(leaf)).to.equal(true)
        tree.add(leaf)
        at = end
      }
      expect(at).to.equal(entries.length)
    }
    expect(tree.root.equals(root)).to.equal(true)
    const first = new Tree()
    const tile = await bytes(`${ORG}/tile/0/000`)
    for (let n = 0; n < WIDTH; n += 1) first.add(tile.subarray(n * 32, n * 32 + 32))
    expect((await bytes(`${ORG}/tile/1/000.p/1`)).equals(first.root)).to.equal(true)
  })

  it('proves every event of an org by its position, and that the log goes on', async () => {
    const client = await system.clientOf('acme')
    const { body } = await client.call('GET', '/api/v1/kmg/audit-log?limit=500')
    client.close()
    expect(body.data).to.have.length(ITEMS)
    const indexes = new Set<number>()
    await inLanes(body.data as { position: string; event_id: string }[], 4, async ({ position, event_id }) => {
      const { entry, index, head } = checkProof(await text(`${ORG}/proofs/${position}`), verifiers)
      expect(JSON.parse(entry!).id).to.equal(event_id)
      expect(head.size).to.equal(ITEMS)
      indexes.add(index!)
    })
    expect(indexes.size).to.equal(ITEMS)
    const next = headOf(await text(`${ORG}/checkpoint`))
    const { data } = JSON.parse(await text(`${ORG}/proofs/consistency?old=77`))
    expect(data).to.include({ old: 77, size: ITEMS })
    const before = new Tree()
    const tile = await bytes(`${ORG}/tile/0/000`)
    for (let n = 0; n < 77; n += 1) before.add(tile.subarray(n * 32, n * 32 + 32))
    const hashes = data.hashes.map((hash: string) => Buffer.from(hash, 'base64'))
    expect(isConsistent({ size: 77, root: before.root }, next, hashes)).to.equal(true)
  })

  it('shows the tree of the whole log to the operator alone', async () => {
    expect((await get(`${PLATFORM}/checkpoint`)).status).to.equal(403)
    expect((await get(`${PLATFORM}/checkpoint`, 'acme', 'organization-admin')).status).to.equal(403)
    const head = headOf(await text(...operator('/checkpoint')))
    expect([head.origin, head.size]).to.deep.equal(['kogi.local', ITEMS + ITEMS / 10])
    const entries = await bytes(...operator(`/tile/entries/${tilePath({ index: 1, width: head.size - WIDTH })}`))
    expect(entries.toString('utf8')).to.include('"org":"other"').and.include('"org":"acme"')
  })

  it('shows an org nothing of another, and says what there is not', async () => {
    const { body } = await (await system.clientOf('other')).call('GET', '/api/v1/kmg/audit-log?limit=1')
    const codeOf = async (place: string, org?: string) => {
      const answer = await get(place, org)
      return [answer.status, JSON.parse(await answer.text()).error.code]
    }
    expect(await codeOf(`${ORG}/proofs/${body.data[0].position}`)).to.deep.equal([404, 'not_found'])
    expect(await codeOf(`${ORG}/checkpoint`, 'nobody')).to.deep.equal([404, 'not_sealed'])
    const absent = ['0/001', '0/002.p/1', '1/000', '9/000', '0/0', 'entries/001', 'entries/x000/001']
    for (const place of absent) expect(await codeOf(`${ORG}/tile/${place}`), place).to.deep.equal([404, 'not_found'])
    const wrong = ['', '?old=x', '?old=301', '?old=5&size=4', '?old=1&size=301']
    for (const query of wrong) {
      expect(await codeOf(`${ORG}/proofs/consistency${query}`), query).to.deep.equal([400, 'invalid_parameter'])
    }
  })

  it("is believed by Go's tlog, which reads the tiles", async function go() {
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }
    const hasGo = await run('go', ['list', 'golang.org/x/mod/sumdb/tlog'], { env }).catch(() => undefined)
    if (!hasGo) {
      console.log('      skipped: Go, or its package golang.org/x/mod, is not there')
      this.skip()
    }
    const note = await text(...operator('/checkpoint'))
    const { size } = headOf(note)
    for (let level = 0; WIDTH ** level <= size; level += 1) {
      for (let index = 0; widthOf({ level, index }, size) > 0; index += 1) {
        const place = `${level}/${tilePath({ index, width: widthOf({ level, index }, size) })}`
        await mkdir(path.join(folder, 'tiles', path.dirname(place)), { recursive: true })
        await writeFile(path.join(folder, 'tiles', place), await bytes(...operator(`/tile/${place}`)))
      }
    }
    await writeFile(path.join(folder, 'checkpoint'), note)
    await writeFile(path.join(folder, 'tiles.go'), GO)
    await run('go', ['build', '-o', 'check', 'tiles.go'], { env, cwd: folder })
    expect((await run(path.join(folder, 'check'), [key, 'checkpoint', 'tiles'], { cwd: folder })).stdout).to.equal(
      'holds\n',
    )
  })
})
