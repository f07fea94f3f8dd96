/** The check of an export in a browser: what `kogi-verify.html` calls with what was dropped on it. */
import { witnessFrom } from '../../projections/notary/cosignature.ts'
import { KEY_TYPES, verifierFrom } from '../../projections/notary/note.ts'
import { archiveSource } from '../../read-api/audit/archive-source.ts'
import { AuditFault } from '../../read-api/audit/bundle.ts'
import type { BundleSource } from '../../read-api/audit/source.ts'
import { checkExport } from '../check-export.ts'

type Dropped = {
  /** The files that were dropped, by their paths: one ZIP archive, or what a folder has. */
  readonly files: readonly { readonly path: string; readonly blob: Blob }[]
  /** Public keys of the log, and of witnesses, all of whom must have cosigned, one a line. */
  readonly keys: string
  /** Whether keys may meet an export of before there were signatures. */
  readonly older: boolean
  /** Whether it is enough that witnesses have cosigned a part of the sealed events. */
  readonly part: boolean
  /** An earlier checkpoint, or nothing. */
  readonly since: string
  readonly onProgress: (line: number, lines: number) => void
}

type Verdict =
  | { readonly ok: true; readonly text: string; readonly value: object }
  | { readonly ok: false; readonly code: string; readonly text: string }

/** What holds of an export, or the first thing that is wrong, with the codes of `kogi audit verify`. */
export async function check({ files, keys, since, older, part, onProgress }: Dropped): Promise<Verdict> {
  try {
    const lines = keys.split('\n').filter(line => line.trim() !== '')
    const isWitness = lines.map(line => typeIn(line) === KEY_TYPES.cosignature)
    const verifiers = lines.filter((_, n) => !isWitness[n]).map(line => keyOf(line, verifierFrom))
    const witnesses = lines.filter((_, n) => isWitness[n]).map(line => keyOf(line, witnessFrom))
    const { text, value } = await checkExport(sourceOf(files), {
      ...(verifiers.length > 0 && { verifiers }),
      ...(witnesses.length > 0 && { witnesses: { keys: witnesses, quorum: witnesses.length, mayBePart: part } }),
      ...(older && { older }),
      // What is pasted may lack the end of its last line.
      ...(since.trim() !== '' && { earlier: `${since.trim()}\n` }),
      onProgress,
    })
    return { ok: true, text, value }
  } catch (error) {
    if (!(error instanceof AuditFault)) return { ok: false, code: 'check_failed', text: (error as Error).message }
    const { code, message, file, line } = error
    const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`} `
    return { ok: false, code, text: `${place}${message}` }
  }
}

/** The type of key that a line is of, as it says itself. */
const typeIn = (line: string) => Buffer.from(line.trim().split('+').slice(2).join('+'), 'base64')[0]

function keyOf(line: string, read: typeof verifierFrom) {
  try {
    return read(line)
  } catch (error) {
    throw new TypeError(`The public key cannot be read: ${(error as Error).message}`)
  }
}

function sourceOf(files: Dropped['files']): BundleSource {
  const [only] = files
  if (only && files.length === 1 && only.path.toLowerCase().endsWith('.zip')) {
    return archiveSource({
      name: only.path,
      size: only.blob.size,
      read: async (from, length) => new Uint8Array(await only.blob.slice(from, from + length).arrayBuffer()),
    })
  }
  const top = `${only?.path.split('/')[0]}/`
  const isWrapped = files.every(({ path }) => path.startsWith(top))
  const byName = new Map(files.map(({ path, blob }) => [isWrapped ? path.slice(top.length) : path, blob]))
  return {
    name: 'what was dropped',
    entries: async () => [...byName.keys()].map(name => ({ name, isFile: true })),
    size: async name => byName.get(name)!.size,
    open: name => byName.get(name)!.stream() as unknown as AsyncIterable<Uint8Array>,
  }
}
