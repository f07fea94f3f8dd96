/**
 * A witness: it remembers the last checkpoint that it has cosigned of each log that it knows, and cosigns the next one
 * where a proof shows that it goes on from that. What it remembers stands in a folder, one file for each log.
 *
 * Source: C2SP tlog-witness (https://c2sp.org/tlog-witness).
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import path from 'node:path'
import { type Head, openCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { cosign } from '../../projections/notary/cosignature.ts'
import { type Hash, isConsistent, Tree } from '../../projections/notary/merkle.ts'
import { fromBase64, NoteFault, type Signer, type Verifier } from '../../projections/notary/note.ts'
import { syncFolder } from '../backup/sync.ts'

const BODY_BYTES_MAX = 1_000_000
const PROOF_LINES_MAX = 63
const HASH_BYTES = 32
const SIZE_TYPE = 'text/x.tlog.size'
const OLD = /^old (0|[1-9]\d{0,15})$/

export type WitnessServerOptions = {
  readonly signer: Signer
  /**
   * Public keys of the logs that it cosigns. The key of an installation of Kogi stands for its log and for the parts of
   * its organizations, whose origins are the name of the key, `/org/` and one segment.
   */
  readonly logs: readonly Verifier[]
  readonly folder: string
  /** Throws where another process has taken the folder from this one. */
  readonly mayWrite?: () => void
  /** Seconds since 1970. */
  readonly now: () => number
}

type Answer = { readonly status: number; readonly text: string; readonly type?: string }

export function witnessServer(options: WitnessServerOptions): Server {
  const answer = witnessOf(options)
  return createServer(async (request, response) => {
    const {
      status,
      text,
      type = 'text/plain; charset=utf-8',
    } = await answer(request).catch((): Answer => {
      return { status: 500, text: 'the checkpoint cannot be kept\n' }
    })
    response.writeHead(status, { 'Content-Type': type }).end(text)
  })
}

function witnessOf(options: WitnessServerOptions) {
  /** One request after another: what was cosigned last is compared and kept in one step. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work)
    turn = mine.catch(() => {})
    return mine
  }
  return async (request: IncomingMessage): Promise<Answer> => {
    const { method, url = '' } = request
    const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? []
    if (hash !== undefined && method === 'GET') {
      const note = await keptIn(options.folder, hash)
      return note === undefined ? { status: 404, text: 'nothing was cosigned yet\n' } : { status: 200, text: note }
    }
    if (url !== '/add-checkpoint') return { status: 404, text: 'there is nothing here\n' }
    if (method !== 'POST') return { status: 405, text: 'this is asked by POST\n' }
    const asked = askedIn(await bodyOf(request))
    return asked ? inTurn(() => added(options, asked)) : { status: 400, text: 'this is no request of a log\n' }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) return ''
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

type Asked = { readonly old: number; readonly proof: readonly Hash[]; readonly note: string; readonly head: Head }

function askedIn(body: string): Asked | undefined {
  const end = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(0, end)).split('\n')
  const old = OLD.exec(first)?.[1]
  const proof = lines.map(fromBase64)
  const isProof = proof.length <= PROOF_LINES_MAX && proof.every(hash => hash?.length === HASH_BYTES)
  if (old === undefined || !isProof) return undefined
  const note = body.slice(end + 2)
  try {
    const head = statedHead(note)
    return Number(old) <= head.size ? { old: Number(old), proof: proof as Hash[], note, head } : undefined
  } catch {
    return undefined
  }
}

async function added(options: WitnessServerOptions, { old, proof, note, head }: Asked): Promise<Answer> {
  const { logs, folder, signer, now } = options
  const known = logs.filter(({ name }) => head.origin === name || isPart(head.origin, name))
  if (known.length === 0) return { status: 404, text: 'this log is not known here\n' }
  try {
    openCheckpoint(note, known)
  } catch (error) {
    if (!(error instanceof NoteFault)) throw error
    return { status: error.kind === 'malformed' ? 400 : 403, text: `${error.message}\n` }
  }
  const name = createHash('sha256').update(head.origin).digest('hex')
  const kept = await keptIn(folder, name)
  const before = kept === undefined ? undefined : statedHead(kept)
  if (old !== (before?.size ?? 0)) return { status: 409, text: `${before?.size ?? 0}\n`, type: SIZE_TYPE }
  if (!goesOn(before, head, proof)) return { status: 422, text: 'the log does not go on from what was seen before\n' }
  options.mayWrite?.()
  const line = cosign(note, signer, now())
  await keep(folder, name, note + line)
  return { status: 200, text: line }
}

/** An origin of more segments would be a log of its own beside that of the org in the last one. */
function isPart(origin: string, log: string): boolean {
  const begin = `${log}/org/`
  return origin.startsWith(begin) && /^[^/]+$/.test(origin.slice(begin.length))
}

function goesOn(before: Head | undefined, head: Head, proof: readonly Hash[]): boolean {
  if (head.size === 0 && !head.root.equals(new Tree().root)) return false
  if (!before || before.size === 0) return proof.length === 0
  return isConsistent(before, head, proof)
}

async function keptIn(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(path.join(folder, name), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** On the disk before it is answered. */
async function keep(folder: string, name: string, note: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const draft = path.join(folder, `${name}.new`)
  const file = await open(draft, 'w')
  try {
    await file.writeFile(note)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path.join(folder, name))
  await syncFolder(folder)
}
