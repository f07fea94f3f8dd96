import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { kogi } from '../../scripts/running.ts'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'

const run = promisify(execFile)

/** Checks proofs with Go's own packages: nothing of Kogi takes part. */
const GO = `package main
import ("bytes"; "encoding/base64"; "fmt"; "os"; "strconv"; "strings")
import ("golang.org/x/mod/sumdb/note"; "golang.org/x/mod/sumdb/tlog")
func must(err error) { if err != nil { fmt.Println(err); os.Exit(1) } }
func hashes(lines []string) (all []tlog.Hash) {
  for _, line := range lines { h, err := tlog.ParseHash(line); must(err); all = append(all, h) }
  return
}
func head(text []byte, key string) tlog.Tree {
  v, err := note.NewVerifier(key); must(err)
  n, err := note.Open(text, note.VerifierList(v)); must(err)
  parts := strings.Split(n.Text, "\\n")
  size, err := strconv.ParseInt(parts[1], 10, 64); must(err)
  h, err := tlog.ParseHash(parts[2]); must(err)
  return tlog.Tree{N: size, Hash: h}
}
func main() {
  proof, err := os.ReadFile(os.Args[2]); must(err)
  at := bytes.Index(proof, []byte("\\n\\n"))
  lines := strings.Split(string(proof[:at]), "\\n")
  tree := head(proof[at+2:], os.Args[1])
  if lines[0] == "c2sp.org/tlog-proof@v1" {
    entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")); must(err)
    index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64); must(err)
    must(tlog.CheckRecord(hashes(lines[3:]), tree.N, tree.Hash, index, tlog.RecordHash(entry)))
  } else {
    earlier, err := os.ReadFile(os.Args[3]); must(err)
    old := head(earlier, os.Args[1])
    must(tlog.CheckTree(hashes(lines[1:]), tree.N, tree.Hash, old.N, old.Hash))
  }
  fmt.Println("holds")
}
`

describe('kogi notary', function cli() {
  this.timeout(120_000)
  let system: System
  let client: Client
  let folder: string
  let key: string
  const file = (name: string) => path.join(folder, name)
  const status = async () => JSON.parse(await system.kogi('notary', '--json', '--data', system.data))
  const untilSealed = async () => {
    for (let now = await status(); now.state !== 'sealed' || now.size === 0; now = await status()) await sleep(200)
  }
  const notary = (...args: string[]) => system.kogi('notary', ...args, '--data', system.data)
  /** Saves what a verb prints, with the line feed at its end. */
  const save = async (name: string, ...args: string[]) => writeFile(file(name), `${await notary(...args)}\n`)
  const verify = (...args: string[]) => kogi(['notary', 'verify', ...args, '--key', key], {})
  const refused = async (...args: string[]) => {
    const error = await verify(...args).then(
      () => expect.fail('it holds'),
      (thrown: Error) => thrown,
    )
    return error.message
  }
  const add = async (id: string) => {
    const { status, body } = await client.call('POST', '/api/v1/kbfc/items', { body: { id, name: id } })
    expect(status).to.equal(201)
    return body.data.events[0].id as string
  }
  let event: string

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-notary-cli-'))
    system = await startSystem()
    client = await system.clientOf('acme')
    for (let n = 0; n < 5; n += 1) await add(`a-${n}`)
    const other = await system.clientOf('other')
    await other.call('POST', '/api/v1/kbfc/items', { body: { id: 'b', name: 'b' } })
    event = await add('proved')
    await untilSealed()
    await save('monday', 'checkpoint')
    await save('monday-acme', 'checkpoint', '--org', 'acme')
    await add('later')
    await untilSealed()
    key = (await status()).keys[0]
    await save('entry', 'prove', event)
    await save('entry-acme', 'prove', event, '--org', 'acme')
    await save('since', 'continue', file('monday'))
    await save('since-acme', 'continue', file('monday-acme'), '--org', 'acme')
  })
  after(async () => {
    await system?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  it('shows what is sealed, in words as well', async () => {
    expect(await status()).to.include({ state: 'sealed', origin: 'kogi.local', size: 8, behind: 0 })
    expect(await notary()).to.match(/sealed .* 8 events, up to position \d+/)
  })

  it('proves an event, and that the log goes on, to who has the key alone', async () => {
    expect(await verify(file('entry')))
      .to.include('The log kogi.local of 8 events has at 6 the event')
      .and.include(event)
    expect(await verify(file('entry-acme'))).to.include('The log kogi.local/org/acme of 7 events has at 5')
    expect(await verify(file('since'), '--since', file('monday'))).to.include('goes on from its first 7 events')
    const acme = JSON.parse(await verify(file('since-acme'), '--since', file('monday-acme'), '--json'))
    expect(acme).to.include({ ok: true, origin: 'kogi.local/org/acme', size: 7, old: 6 })
  })

  it('refuses every proof that was changed, with a code', async () => {
    const text = await readFile(file('entry'), 'utf8')
    const [head, ...rest] = text.split('\n')
    const changes: Readonly<Record<string, string>> = {
      entry_not_included: text.replace('index 6', 'index 5'),
      proof_malformed: [head, ...rest.slice(1)].join('\n'),
      checkpoint_invalid: text.replace('\n8\n', '\n9\n'),
    }
    for (const [code, changed] of Object.entries(changes)) {
      await writeFile(file('changed'), changed)
      expect(await refused(file('changed'))).to.include(code)
    }
    const edited = Buffer.from(rest[0]!.slice('extra '.length), 'base64')
      .toString()
      .replace(event, event.replace(/.$/, '0'))
    await writeFile(file('changed'), text.replace(/extra .*/, `extra ${Buffer.from(`${edited} `).toString('base64')}`))
    expect(await refused(file('changed'))).to.include('entry_not_included')
    expect(await refused(file('since'), '--since', file('monday-acme'))).to.include('origin_differs')
    expect(await refused(file('since'))).to.include('proof_malformed')
  })

  it('seals exports, which are then checked with the key alone', async () => {
    await system.kogi('audit', 'export', '--org', 'acme', '--out', file('export'), '--data', system.data)
    const replay = (...args: string[]) => kogi(['audit', 'replay', file('export'), '--offline', ...args], {})
    expect(await replay('--key', key, '--since', file('monday-acme'))).to.match(
      /\nsealed: all\nthe manifest, and with it every file, is signed/,
    )
    expect(await replay()).to.include('sealed: all, by a key that was not checked')
    const query = async (...args: string[]) =>
      kogi(['audit', 'replay', file('export'), '--query', '/kbfc/items', '--key', key, ...args], {})
    expect(JSON.parse(await query('--json')).rows.map(({ id }: { id: string }) => id)).to.have.length(7)
    expect(await query('--as-of', '2000-01-01T00:00:00Z')).to.match(
      /^There are no items\.\n0 items of acme as of position 0\n/,
    )
    const events = await readFile(file('export/events.ndjson'), 'utf8')
    const manifest = JSON.parse(await readFile(file('export/manifest.json'), 'utf8'))
    expect(manifest.checkpoint).to.match(/^kogi\.local\/org\/acme\n7\n/)
    expect(events.trimEnd().split('\n')).to.have.length(7)
    const verifier = file('kogi-verify.mjs')
    const bundle = pathToFileURL(path.resolve('scripts/bundle.mjs'))
    const script = `import { writeFileSync } from 'node:fs'; import { verifier } from '${bundle}'
      writeFileSync('${verifier}', verifier('${verifier}').contents)`
    await run(process.execPath, ['--input-type=module', '-e', script])
    const checked = await run(process.execPath, [verifier, 'export', '--key', key, '--json'], { cwd: folder })
    expect(JSON.parse(checked.stdout)).to.include({ ok: true, org: 'acme', events: 7, signed: 'trusted' })
    const copy = file('edited')
    await cp(file('export'), copy, { recursive: true })
    await writeFile(path.join(copy, 'events.ndjson'), events.replace('"name":"a-3"', '"name":"a-9"'))
    const fault = await run(process.execPath, [verifier, 'edited', '--key', key], { cwd: folder }).catch(
      thrown => thrown,
    )
    expect([fault.code, fault.stderr]).to.deep.equal([1, 'kogi: line_changed events.ndjson:4 The line was changed.\n'])
    const other = key.replace(/^[^+]+/, 'another')
    const refusal = await replay('--key', other).catch((thrown: Error) => thrown)
    expect(String(refusal)).to.include('they do not fit')
  })

  /** A checkpoint that the log's own key has signed, of another log. */
  async function forged(name: string, size: number) {
    const pem = await readFile(path.join(system.data, 'notary', 'signing-key.pem'), 'utf8')
    const head = { origin: 'kogi.local', size, root: Buffer.alloc(32, 7) }
    await writeFile(file(name), signCheckpoint(head, [{ name: 'kogi.local', privateKey: createPrivateKey(pem) }]))
    return file(name)
  }

  it('hashes the log and compares it with every checkpoint', async () => {
    const check = async (...args: string[]) => JSON.parse(await notary('check', ...args, '--json'))
    const sound = await check(file('monday'), file('monday-acme'))
    expect(sound).to.include({ ok: true, events: 8 })
    expect(sound.checkpoints.map((one: { verdict: string }) => one.verdict)).to.deep.equal(Array(4).fill('holds'))
    expect(await notary('check')).to.include('all 8 events are those that were signed')
    const wrong = async (...args: string[]) =>
      notary('check', ...args).then(
        () => expect.fail('it holds'),
        ({ code, stdout }: { code: number; stdout: string }) => `${code} ${stdout}`,
      )
    expect(await wrong(file('monday'), await forged('other', 5))).to.match(
      /^1 .*other +│ +1 +│ +differs +│ +no checkpoint holds, the first 5 are not/s,
    )
    expect(await wrong(await forged('longer', 100))).to.match(
      /^1 .*longer +│ +1 +│ +missing +│ .*the log has fewer than 100/s,
    )
  })

  it('is asked by the doctor', async () => {
    const seal = async () => {
      const said = await system.kogi('doctor', '--json', '--data', system.data).catch(({ stdout }) => stdout)
      return JSON.parse(said).find((one: { part: string }) => one.part === 'seal')
    }
    expect(await seal()).to.include({ state: 'ok' })
    const anchor = path.join(system.data, 'notary', 'checkpoint')
    const sound = await readFile(anchor, 'utf8')
    await writeFile(anchor, await readFile(await forged('longer', 100), 'utf8'))
    expect(await seal()).to.include({ state: 'failed' })
    await writeFile(anchor, sound)
  })

  it('says what is unknown', async () => {
    const other = await notary('continue', file('monday-acme')).catch((thrown: Error) => thrown)
    expect(String(other)).to.include('The earlier checkpoint is of kogi.local/org/acme, not of kogi.local')
    const none = await verify(file('nothing')).catch((thrown: Error) => thrown)
    expect(String(none)).to.include('cannot be read')
    const error = await notary('prove', '00000000-0000-0000-0000-000000000000').catch((thrown: Error) => thrown)
    expect(String(error)).to.include('The last checkpoint has no event')
    expect(String(await notary('checkpoint', '--org', 'nobody').catch((thrown: Error) => thrown))).to.include(
      'is of an organization nobody: is its id right?',
    )
  })

  it("is believed by Go's tlog and note", async function go() {
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }
    const hasGo = await run('go', ['list', 'golang.org/x/mod/sumdb/tlog'], { env }).catch(() => undefined)
    if (!hasGo) {
      console.log(
        '      skipped: Go, or its package golang.org/x/mod, is not there (golang-go golang-golang-x-mod-dev)',
      )
      this.skip()
    }
    await writeFile(file('check.go'), GO)
    await run('go', ['build', '-o', file('check'), file('check.go')], { env, cwd: folder })
    const check = async (...args: string[]) => (await run(file('check'), [key, ...args])).stdout
    expect(await check(file('entry'))).to.equal('holds\n')
    expect(await check(file('since'), file('monday'))).to.equal('holds\n')
    await writeFile(file('changed'), (await readFile(file('entry'), 'utf8')).replace('index 6', 'index 5'))
    expect(await check(file('changed')).catch(() => 'refused')).to.equal('refused')
  })
})
