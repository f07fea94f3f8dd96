/** Reads the file of a bank statement: bytes to text, text to statements, or a refusal that names every fault. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Element, readCamt } from '../../domain/wallet/statement/camt.ts'
import { readCsvStatement } from '../../domain/wallet/statement/csv.ts'
import type { Fault, StatementFile, StatementFormat } from '../../domain/wallet/statement/file.ts'
import { readMt940 } from '../../domain/wallet/statement/mt940.ts'
import { readOfx } from '../../domain/wallet/statement/ofx.ts'
import type { Rules } from '../../domain/wallet/statement/rules.ts'

/** Reads XML: its tree, absent for what is no XML, what is wrong with it, and what its schema says against it. */
export type ReadXml = (bytes: Uint8Array) => Promise<{
  readonly root?: Element
  readonly faults: readonly Fault[]
  readonly deviations: readonly Fault[]
}>

const FAULTS_SHOWN_MAX = 50

/**
 * Reads a file in a format, whatever is wrong with it. What a schema says against a message is a fault, or where
 * `anySchema` is set a note.
 */
export async function readStatementFile(
  bytes: Uint8Array,
  format: StatementFormat,
  { rules, anySchema }: { readonly rules: Rules; readonly anySchema: boolean },
  readXml: ReadXml,
): Promise<StatementFile> {
  if (format === 'camt') {
    const { root, faults, deviations } = await readXml(bytes)
    const notes = anySchema ? deviations : []
    const all = anySchema ? faults : [...faults, ...deviations]
    return root ? noted(readCamt(root, all), notes) : { format, statements: [], faults: all, notes }
  }
  const { text, notes } = textOf(bytes)
  if (format === 'mt940') return noted(readMt940(text), notes)
  if (format === 'ofx') return noted(readOfx(text), notes)
  if (!rules.csv) {
    throw new KogiError('import_invalid', 'A CSV file needs rules that say where its columns stand: `csv`.')
  }
  return noted(readCsvStatement(text, rules.csv), notes)
}

/** Throws `statement_invalid` where a file has faults. */
export function mustBeSound({ faults }: StatementFile, name: string): void {
  if (faults.length === 0) return
  const inOrder = [...faults].sort((a, b) => a.line - b.line)
  const details = inOrder.slice(0, FAULTS_SHOWN_MAX).map(({ line, message }) => ({ field: `line ${line}`, message }))
  const more = faults.length > details.length ? `, of which ${details.length} are shown` : ''
  const what = `${name} is not sound: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}${more}.`
  const [first] = details
  throw new KogiError('statement_invalid', `${what} ${first!.field}: ${first!.message}. Nothing was written.`, details)
}

const noted = (file: StatementFile, notes: readonly Fault[]): StatementFile => ({
  ...file,
  notes: [...notes, ...file.notes],
})

/** Banks write UTF-8 or, in older formats, Windows-1252: what is valid UTF-8 is that. */
function textOf(bytes: Uint8Array): { readonly text: string; readonly notes: readonly Fault[] } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), notes: [] }
  } catch {
    const message = 'the file is not UTF-8: read as Windows-1252'
    return { text: new TextDecoder('windows-1252').decode(bytes), notes: [{ line: 1, message }] }
  }
}
