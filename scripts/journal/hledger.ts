/** Journals through the `hledger` program: its parser knows the syntax, checks every balance and every assertion. */
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Amount, ImportRefused, type Journal, type Place, type Transaction } from './journal.ts'

const run = promisify(execFile)

/** hledger writes some 2 kB for each posting; a string of Node holds half a gigabyte. */
const OUTPUT_BYTES_MAX = 500 * 2 ** 20
/** More decimal places than this hledger's JSON rounds away. */
const JSON_PLACES = 10

const NO_HLEDGER = `Reading a journal takes the program hledger, which is not installed. Install it
(https://hledger.org/install; on Debian and Ubuntu: apt install hledger), or run where it is installed

  hledger -f JOURNAL print -x -O json > journal.json

and import journal.json instead.`

/**
 * Reads a journal, or, from a file named `.json`, what `hledger print -x -O json` made of one. Throws `ImportRefused`
 * where hledger finds the journal invalid: syntax, a transaction that does not balance, an assertion that fails.
 */
export async function readJournal(file: string): Promise<Journal> {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) {
    const what = found ? 'This is a folder, not a journal.' : 'There is no such file.'
    throw new ImportRefused('journal_not_found', what, { file })
  }
  const text = file.endsWith('.json') ? await readFile(file, 'utf8') : await printed(path.resolve(file))
  const journal = parseHledgerJson(text, file)
  if (journal.length > 0) return journal
  throw new ImportRefused('journal_empty', 'The file holds no transaction.', { file })
}

async function printed(file: string): Promise<string> {
  try {
    // hledger reads bytes as its locale says, and journals are UTF-8.
    const env = { ...process.env, LC_ALL: 'C.UTF-8' }
    const args = ['-f', file, 'print', '-x', '-O', 'json']
    return (await run('hledger', args, { env, maxBuffer: OUTPUT_BYTES_MAX })).stdout
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') throw new KogiError('hledger_missing', NO_HLEDGER)
    if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
      throw new ImportRefused('journal_too_large', 'Split the journal, by years for example.', { file })
    }
    throw new ImportRefused('journal_invalid', stderr.trim() || String(error), placeIn(stderr, file))
  }
}

/** `hledger: "FILE" (lines 1-3)`, or `hledger: Error: FILE:1-3:` of newer versions. */
function placeIn(message: string, file: string): Place {
  const found = /"([^"\n]+)" \(lines? (\d+)/.exec(message) ?? /(\/[^:\n]+):(\d+)/.exec(message)
  return found ? { file: found[1]!, line: Number(found[2]) } : { file }
}

const integer = z.string().regex(/^-?\d+(\.\d+)?([eE]\+?\d+)?$/)
const amountSchema = z.object({
  acommodity: z.string(),
  aquantity: z.object({ decimalMantissa: integer, decimalPlaces: z.int().min(0).max(255) }),
  // It is a number or `{ contents: number }`, and absent where the journal shows all places.
  astyle: z.object({ asprecision: z.unknown() }).optional(),
  // hledger has one of the two, by its version.
  aprice: z.unknown().optional(),
  acost: z.unknown().optional(),
})
const positionSchema = z.object({ sourceName: z.string(), sourceLine: z.int() })
const outputSchema = z.array(
  z.object({
    tdate: z.string(),
    tcode: z.string(),
    tdescription: z.string(),
    tsourcepos: z.array(positionSchema).min(1),
    tpostings: z.array(
      z.object({
        paccount: z.string(),
        ptype: z.enum(['RegularPosting', 'VirtualPosting', 'BalancedVirtualPosting']),
        pamount: z.array(amountSchema),
      }),
    ),
  }),
)
type Output = z.output<typeof outputSchema>[number]
type OutputAmount = z.output<typeof amountSchema>

const KINDS = { RegularPosting: 'real', VirtualPosting: 'virtual', BalancedVirtualPosting: 'balanced_virtual' } as const

/** Takes in the output of `hledger print -x -O json`. `file` is named where that text is none. */
export function parseHledgerJson(text: string, file: string): Journal {
  const parsed = outputSchema.safeParse(parseExactly(text))
  if (parsed.success) return parsed.data.map(asTransaction)
  const [{ path: at, message }] = parsed.error.issues as [z.core.$ZodIssue]
  const where = at.length === 0 ? '' : ` (${at.join('.')}: ${message})`
  throw new ImportRefused('journal_invalid', `This is not what hledger print -x -O json writes${where}.`, { file })
}

/**
 * JSON whose numbers of money keep all their digits: a double holds 15. An unescaped quote ends or begins a string, so
 * the pattern finds that name as a name only.
 */
function parseExactly(text: string): unknown {
  try {
    return JSON.parse(text.replace(/(?<!\\)"decimalMantissa"\s*:\s*([-+.\deE]+)/g, '"decimalMantissa":"$1"'))
  } catch {
    return undefined
  }
}

function asTransaction({ tdate, tcode, tdescription, tsourcepos, tpostings }: Output): Transaction {
  const [{ sourceName, sourceLine }] = tsourcepos as [z.output<typeof positionSchema>]
  const place = { file: sourceName, line: sourceLine }
  const priced = tpostings.some(({ pamount }) => pamount.some(isPriced))
  const postings = tpostings.map(({ paccount, ptype, pamount }) => ({
    account: paccount,
    kind: KINDS[ptype],
    amounts: pamount.map(amount => asAmount(amount, priced, place)),
  }))
  return { date: tdate, code: tcode, description: tdescription, postings, place }
}

const isPriced = ({ aprice, acost }: OutputAmount) => (aprice ?? acost ?? null) !== null

function asAmount(amount: OutputAmount, pricedTransaction: boolean, place: Place): Amount {
  const { acommodity, aquantity, astyle } = amount
  const places = aquantity.decimalPlaces
  const shown = precisionOf(astyle?.asprecision) ?? places
  // At the limit only a number that was written with all of its places is known to be complete.
  if (places >= JSON_PLACES && (shown > JSON_PLACES || pricedTransaction)) {
    const message = `An amount in ${acommodity || 'no commodity'} has more decimal places than hledger's JSON keeps.`
    throw new ImportRefused('amount_loses_digits', message, place)
  }
  const digits = wholeNumber(aquantity.decimalMantissa)
  return { commodity: acommodity, digits, places, shown: Math.max(shown, places), priced: isPriced(amount) }
}

function precisionOf(precision: unknown): number | undefined {
  if (typeof precision === 'number') return precision
  const { contents } = (precision ?? {}) as { contents?: unknown }
  return typeof contents === 'number' ? contents : undefined
}

/** `1.5e3` is 1500: hledger writes numbers of many digits so. */
function wholeNumber(text: string): bigint {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(\d+))?$/.exec(text)!
  const zeros = Number(exponent) - fraction.length
  if (zeros < 0 || zeros > 1000) throw new KogiError('journal_invalid', `${text.slice(0, 50)} is no whole number.`)
  return BigInt(`${sign}${whole}${fraction}${'0'.repeat(zeros)}`)
}
