/** What recall costs in 100,000 memories of one org: searches, indexing, memory, and coming back after a restart. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { indexFolder } from '../../infra/files/index-folder.ts'
import { Recall } from '../../projections/memory/recall/recall.ts'
import { packed, type RecallState, unpacked } from '../../projections/memory/recall/stored.ts'
import { searchMemories, storeMemory } from '../memory/client.ts'
import { percentile } from '../memory/quality.ts'
import { kogi, startKogi } from '../running.ts'
import { alone, type Figure } from './figure.ts'
import { KINDS_ASKED, type Known, recalledTexts } from './memory-texts.ts'
import { cpuMs, memoryInUse } from './search.ts'

const MEMORIES = Number(process.env.KOGI_BENCH_MEMORIES ?? 100_000)
const QUERIES = 300
/** Memories that are stored in a running system and searched for at once, and those of them that only warm it up. */
const STORED = 300
const WARM = 100
/** Memories that come in before each search of the second part: more than do at 200 commands a second. */
const WRITES = 10

/** Each figure of an index by itself, without a system around it. */
export async function memoryBench(): Promise<Figure[]> {
  const { memories, queries } = recalledTexts(MEMORIES + QUERIES * WRITES, 2 * QUERIES)
  const kept = memories.slice(0, MEMORIES)
  const before = memoryInUse()
  const index = new Recall()
  const seconds =
    cpuMs(() => {
      for (const memory of kept) index.set(memory)
    }) / 1_000
  const bytes = (memoryInUse() - before) / MEMORIES
  timesOf(index, queries.slice(0, 50))
  const quiet = timesOf(index, queries.slice(0, QUERIES))
  const later = memories.slice(MEMORIES)
  const busy = timesOf(index, queries.slice(QUERIES), () =>
    later.splice(0, WRITES).forEach(each => void index.set(each)),
  )
  return [
    alone('recall_indexed_per_second_of_cpu', MEMORIES / seconds, '/s', { least: 5_000 }),
    alone('recall_bytes_per_memory', bytes, 'bytes', { most: 2_048 }),
    alone('recall_search_cpu_p50', percentile(quiet, 50), 'ms'),
    alone('recall_search_cpu_p95', percentile(quiet, 95), 'ms', { most: 30 }),
    alone('recall_search_between_writes_cpu_p95', percentile(busy, 95), 'ms', { most: 60 }),
    ...(await restart(index)),
    ...(await untilFound()),
  ]
}

/** The CPU time of each search by all legs, which a busy machine moves least: the first hits of some kinds. */
function timesOf(index: Recall, queries: readonly Known[], work: () => void = () => {}): number[] {
  return queries.map(({ text }) => {
    work()
    return cpuMs(() => void index.search(text, { limit: 11, filter: { kinds: KINDS_ASKED } }))
  })
}

/** Stores the index in a folder, sealed, and loads it from there. */
async function restart(index: Recall): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-index-'))
  const [key, secret] = [randomUUID(), randomBytes(32)]
  const keys = { make: async () => ({ key, secret }), find: async () => secret, destroy: async () => {} }
  try {
    const store = indexFolder(folder, keys)
    const before = process.cpuUsage()
    const write = await store.begin('bench')
    await write(packed('bench', index.state))
    const stored = process.cpuUsage(before)
    const started = performance.now()
    const bytes = (await store.read('bench'))!
    const loaded = Recall.of(unpacked('bench', bytes) as RecallState)
    const ms = performance.now() - started
    if (loaded.size !== index.size) throw new Error('The index that was loaded is another one.')
    return [
      alone('recall_restart', ms, 'ms', { most: 3_000 }),
      alone('recall_stored_cpu', (stored.user + stored.system) / 1_000, 'ms'),
      alone('recall_stored_size', bytes.length / 2 ** 20, 'MiB'),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The time from the answer to a command that stores a memory until a search has found it, in a running system. */
async function untilFound(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-'))
  const dev = await startKogi(['dev', '--port', '0'], { KOGI_DATA_DIR: data })
  try {
    const who = ['--org', 'bench', '--subject', 'bench', '--role', 'organization-admin']
    const token = await kogi(['token', ...who], { KOGI_DATA_DIR: data })
    const times: number[] = []
    for (let n = 0; n < STORED; n += 1) {
      const stored = await storeMemory({ url: dev.url, token }, { id: `m${n}`, content: `What word${n} says.` })
      const before = performance.now()
      const { position } = stored.data
      const asked = { q: `word${n}`, search_type: 'hybrid', limit: 1, at_least: position, wait: 10_000 }
      const { data } = await searchMemories({ url: dev.url, token }, asked)
      if (data[0]?.subject !== `m${n}`) throw new Error(`memory ${n} was not found`)
      if (n >= WARM) times.push(performance.now() - before)
    }
    return [
      alone('memory_stored_to_found_p50', percentile(times, 50), 'ms'),
      alone('memory_stored_to_found_p99', percentile(times, 99), 'ms', { most: 150 }),
    ]
  } finally {
    await dev.stop()
    await rm(data, { recursive: true, force: true })
  }
}
