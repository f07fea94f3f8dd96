/** The check of an export in a browser: what `kogi-verify.html` calls with what was dropped on it. */
import { verifierFrom } from '../../projections/notary/note.ts'
import { archiveSource } from '../../read-api/audit/archive-source.ts'
import { AuditFault } from '../../read-api/audit/bundle.ts'
import type { BundleSource } from '../../read-api/audit/source.ts'
import { checkExport } from '../check-export.ts'

type Dropped = {
  /** The files that were dropped, by their paths: one ZIP archive, or what a folder has. */
  readonly files: readonly { readonly path: string; readonly blob: Blob }[]
  /** Public keys of the log, one a line. */
  readonly keys: string
  /** An earlier checkpoint, or nothing. */
  readonly since: string
  readonly onProgress: (line: number, lines: number) => void
}

type Verdict =
  | { readonly ok: true; readonly text: string; readonly value: object }
  | { readonly ok: false; readonly code: string; readonly text: string }

/** What holds of an export, or the first thing that is wrong, with the codes of `kogi audit verify`. */
export async function check({ files, keys, since, onProgress }: Dropped): Promise<Verdict> {
  try {
    const lines = keys.split('\n').filter(line => line.trim() !== '')
    const verifiers = lines.map(line => keyOf(line))
    const { text, value } = await checkExport(sourceOf(files), {
      ...(verifiers.length > 0 && { verifiers }),
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

function keyOf(line: string) {
  try {
    return verifierFrom(line)
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
