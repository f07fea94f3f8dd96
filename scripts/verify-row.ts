/** The check of one row of a read model, which needs no system: `kogi audit verify-row`, `kogi-verify row`. */
import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { projections } from '../infra/catalogue.ts'
import { ProofFault } from '../projections/notary/proof.ts'
import { checkRowProof, type ProvedRow } from '../projections/notary/row-proof.ts'
import { AuditFault } from '../read-api/audit/bundle.ts'
import { exportAt } from '../read-api/audit/export-at.ts'
import { checkStatement } from '../read-api/audit/statement-check.ts'
import { checkOptions } from './check-export.ts'
import { fail, STATUS, statusHelp } from './failing.ts'
import { collect, fileText, verifierIn } from './log-keys.ts'

type Options = { readonly key: readonly string[]; readonly export?: string; readonly json?: true }

const HELP = `
${statusHelp('the proof does not hold: the code says why')}

Example:
  $ curl -H "Authorization: Bearer $TOKEN" '…/kwlt/wallets/studio/accounts/cash/EUR?proof=true' > cash.json
  $ kogi audit verify-row cash.json --key notary.key
  $ kogi audit verify-row cash.json --key notary.key --export acme-2026`

export const verifyRowCommand = (): Command =>
  new Command('verify-row')
    .description('check the proof of a row, or of its absence, with the public key of the log alone')
    .argument('<answer>', 'file with the answer of a read with proof=true, or with the proof in it')
    .option('--key <key>', 'public key of the log, or a file with it; required, may be repeated', collect, [])
    .option('--export <export>', 'also check that the events of an export give the rows that were signed')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', HELP)
    .action(verifyRow)

async function verifyRow(file: string, { key, export: folder, json }: Options): Promise<void> {
  try {
    if (key.length === 0) {
      throw new KogiError('invalid_parameter', 'Name the public key of the log: --key KEY, or --key FILE.')
    }
    const verifiers = await Promise.all(key.map(verifierIn))
    const proved = checkRowProof(await fileText(file), verifiers, projections)
    if (folder !== undefined) {
      await checkStatement(await exportAt(folder), proved.statement, { ...checkOptions(), verifiers })
    }
    const isFolded = folder !== undefined
    const text = json ? JSON.stringify({ ...jsonOf(proved), folded: isFolded }) : textOf(proved)
    process.stdout.write(`${text}${isFolded && !json ? '\nand the events of the export give these rows' : ''}\n`)
  } catch (error) {
    if (!(error instanceof ProofFault || error instanceof AuditFault))
      return fail(error, { ...(json && { json }), refused: STATUS.refused })
    const { code, message } = error
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`)
    process.stderr.write(`kogi: ${code} ${message}\n`)
    process.exitCode = STATUS.no
  }
}

function jsonOf({ key, row, statement }: ProvedRow) {
  const { model, version, rows, root, log, position } = statement
  const of = { origin: log.origin, size: log.size, root: log.root.toString('base64') }
  return {
    ok: true,
    model,
    version,
    key,
    row,
    rows,
    root: root.toString('base64'),
    log: of,
    position: String(position),
  }
}

function textOf({ key, row, statement }: ProvedRow): string {
  const { model, version, rows, log, position } = statement
  const when = `after ${log.size} events of ${log.origin}, at position ${position}`
  const of = `${model} (version ${version}, ${rows} rows) ${when}`
  if (row === null) return `${of}, had no row of ${JSON.stringify(key)}`
  return `${of}, had the row\n${JSON.stringify(row, null, 2)}`
}
