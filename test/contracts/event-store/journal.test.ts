/** The journal: what a crash at any moment leaves, and how commits move from it into the tables. */
import { randomUUID } from 'node:crypto'
import {
  constants,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { verify } from '../../../infra/embedded/event-store/care/verify.ts'
import { frameOffsets } from '../../../infra/embedded/event-store/log/scan.ts'
import { FILE, Store } from '../../../infra/embedded/event-store/log/store.ts'
import { Tables } from '../../../infra/embedded/event-store/log/tables.ts'
import { Committer } from '../../../infra/embedded/event-store/write/committer.ts'

const JOURNAL = `${FILE}-journal-a`
/** More streams than a tail holds: they set its move into the tables off. */
const MANY = 5000

function linkOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

describe('the journal of the embedded event store', () => {
  const folders: string[] = []
  const stores: Store[] = []
  let store: Store
  let committer: Committer

  beforeEach(() => {
    store = opened(newFolder())
    committer = new Committer(store)
  })

  afterEach(async () => {
    for (const open of stores.splice(0)) await open.close()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  function newFolder(): string {
    folders.push(mkdtempSync(join(tmpdir(), 'kogi-journal-')))
    return folders.at(-1)!
  }

  function opened(folder: string): Store {
    stores.push(new Store(folder))
    return stores.at(-1)!
  }

  /** The folder as a crash at this moment would leave it. */
  function crashed(change: (journal: Buffer) => void = () => {}): string {
    const folder = newFolder()
    cpSync(folders[0]!, folder, { recursive: true })
    const path = join(folder, JOURNAL)
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
    return folder
  }

  function newFolderWithStore(): string {
    const folder = newFolder()
    opened(folder)
    return folder
  }

  function append(stream: string, text = ''): Promise<unknown> {
    const none = Buffer.alloc(0)
    const event = { id: randomUUID(), type: Buffer.from('T'), json: true, metadata: none, data: Buffer.from(text) }
    return new Promise((resolve, reject) =>
      committer.append(stream, -2, [event], (error, result) => (error ? reject(error) : resolve(result))),
    )
  }

  const appendMany = () => Promise.all(Array.from({ length: MANY }, (_, n) => append(`s${n}`)))

  /** How many events a store has, all of them sound. */
  function soundEvents(one: Store): number {
    expect(verify(one).problems).to.deep.equal([])
    return [...one.allBlocks()].flatMap(({ bytes }) => frameOffsets(bytes)).length
  }

  it('has every commit, in its order, when the process is gone', async () => {
    for (let n = 0; n < 10; n++) await append(`s${n % 3}`)
    const again = opened(crashed())
    expect(soundEvents(again)).to.equal(10)
    expect([again.head('s0')!.revision, again.state.nextPosition]).to.deep.equal([3, store.state.nextPosition])
    committer = new Committer(again)
    await append('s0')
    await append('new')
    expect(soundEvents(again)).to.equal(12)
  })

  it('writes so that the system call returns when the disk has it', async function () {
    if (process.platform !== 'linux') return this.skip()
    await append('s')
    const descriptors = readdirSync('/proc/self/fd').filter(fd => linkOf(fd) === join(folders[0]!, JOURNAL))
    expect(descriptors).to.have.length(1)
    const [, flags] = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptors[0]}`, 'latin1'))!
    expect(Number.parseInt(flags!, 8) & constants.O_DSYNC).to.equal(constants.O_DSYNC)
  })

  it('passes over a commit that was half written', async () => {
    await append('s', 'kept')
    await append('s', 'torn')
    const again = opened(crashed(bytes => bytes.fill(0, bytes.indexOf('torn'))))
    expect(verify(again).notes[0]).to.match(/^\d+ bytes behind position \d+ were no whole commit and were passed over$/)
    expect(soundEvents(again)).to.equal(1)
    committer = new Committer(again)
    await append('s')
    expect([again.head('s')!.revision, soundEvents(again)]).to.deep.equal([1, 2])
  })

  it('refuses to open when a commit is lost before others', async () => {
    await append('s', 'first')
    await append('s', 'damaged')
    await append('s', 'behind')
    const folder = crashed(bytes => bytes.fill(0, bytes.indexOf('damaged'), bytes.indexOf('damaged') + 1))
    expect(() => new Store(folder)).to.throw(/The journal is damaged: what was stored behind position \d+ cannot/)
    const beginning = crashed(bytes => bytes.fill(0, 0, 8))
    expect(() => new Store(beginning)).to.throw('behind position 0 cannot be read')
  })

  it('refuses a folder without its tables, and one without the journal that was in use', async () => {
    await append('s')
    const without = (change: (folder: string) => void): string => {
      const folder = crashed()
      change(folder)
      return folder
    }
    const tables = without(folder => rmSync(join(folder, FILE)))
    expect(() => new Store(tables)).to.throw(/events.mdb is missing, and its journal has commits: restore/)
    expect(readdirSync(tables)).not.to.include(FILE)
    const foreign = without(folder => cpSync(join(newFolderWithStore(), FILE), join(folder, FILE)))
    expect(() => new Store(foreign)).to.throw(/journal-a has commits, and .* is not the file that it was written with/)
    const journal = without(folder => rmSync(join(folder, JOURNAL)))
    expect(() => new Store(journal)).to.throw('journal-a has 0 bytes: the last commits stood there and are lost')
    const cut = without(folder => truncateSync(join(folder, JOURNAL), 500))
    expect(() => new Store(cut)).to.throw('journal-a has 500 bytes')
  })

  it('gives its entries up to the tables and doubles none of them', async () => {
    await appendMany()
    await store.flush()
    await append('s0')
    const again = opened(crashed())
    expect(soundEvents(again)).to.equal(MANY + 1)
    await store.close()
    expect(readdirSync(folders[0]!).sort()).to.deep.equal([FILE, `${FILE}-lock`])
    expect(soundEvents(opened(folders[0]!))).to.equal(MANY + 1)
  })

  it('takes commits while the tables take over, and both survive', async () => {
    await appendMany()
    const pending = append('s0')
    const during = crashed()
    await pending
    const after = crashed()
    expect(soundEvents(opened(during))).to.be.within(MANY, MANY + 1)
    expect(soundEvents(opened(after))).to.equal(MANY + 1)
  })

  it('goes on while the tables fail, up to a limit, and recovers', async () => {
    const { put } = Tables.prototype
    Tables.prototype.put = () => Promise.reject(new Error('no space left'))
    try {
      const outcomes: string[] = []
      for (let n = 0; n < 7; n++) outcomes.push((await Promise.allSettled([appendMany()]))[0]!.status)
      expect(outcomes).to.deep.equal([...Array(5).fill('fulfilled'), 'rejected', 'rejected'])
    } finally {
      Tables.prototype.put = put
    }
    expect(soundEvents(store)).to.equal(5 * MANY)
    await append('s0')
    expect(soundEvents(opened(crashed()))).to.equal(5 * MANY + 1)
  })
})
