/**
 * Journals through beancount: its own library books every transaction and checks every balance. The interpreter is that
 * of `bean-check`, wherever that is installed. Plugins that a file names are run by beancount, as by its own programs.
 */
import { open } from 'node:fs/promises'
import { exactOf } from '../../domain/wallet/statement/exact.ts'
import { type Amount, ImportRefused, type Journal, type JournalPosting } from './journal.ts'
import { isMissing, output, said } from './programs.ts'

/** Prints one line of JSON: what is wrong, or every transaction, with numbers as texts. */
const SCRIPT = `
import json, sys
from beancount import loader
from beancount.core import convert, data
entries, errors, _ = loader.load_file(sys.argv[1])
def place(meta):
    return [str(meta.get("filename", "")), int(meta.get("lineno", 0))]
def amount(one):
    return [format(one.number, "f"), one.currency]
def posting(one):
    priced = one.cost is not None or one.price is not None
    weight = amount(convert.get_weight(one)) if priced else None
    return [one.account, amount(one.units), weight, "__automatic__" in (one.meta or {})]
def entry(one):
    words = [one.payee, one.narration]
    return [place(one.meta), one.date.isoformat(), words, [posting(p) for p in one.postings]]
print(json.dumps({
    "errors": [[place(one.source), one.message] for one in errors],
    "entries": [entry(one) for one in entries if isinstance(one, data.Transaction)],
}))
`

type Place = readonly [file: string, line: number]
type Money = readonly [number: string, currency: string]
type Said = {
  readonly errors: readonly (readonly [Place, string])[]
  readonly entries: readonly (readonly [
    Place,
    string,
    readonly [payee: string | null, narration: string | null],
    readonly (readonly [account: string, units: Money, weight: Money | null, isComputed: boolean])[],
  ])[]
}

/** Reads a journal with beancount; `undefined` where it is not installed. */
export async function throughBeancount(file: string): Promise<Journal | undefined> {
  const python = await interpreter()
  if (python === undefined) return undefined
  let text: string
  try {
    text = await output(python, ['-c', SCRIPT, file])
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new ImportRefused('journal_invalid', said(error), { file })
  }
  const { errors, entries } = JSON.parse(text) as Said
  const [first] = [...errors].sort(([[, a]], [[, b]]) => a - b)
  if (first) {
    const [[name, line], message] = first
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
    throw new ImportRefused('journal_invalid', `${message.trim()}${more}`, { file: name || file, line })
  }
  return entries.map(([[name, line], date, [payee, narration], postings]) => ({
    date,
    code: '',
    description: [payee, narration].filter(Boolean).join(' | '),
    place: { file: name || file, line },
    postings: postings.map(
      ([account, units, weight, isComputed]): JournalPosting => ({
        account,
        kind: 'real',
        amounts: [amountOf(units, weight)],
        ...(isComputed && { asserted: true }),
      }),
    ),
  }))
}

function amountOf([number, commodity]: Money, weight: Money | null): Amount {
  const exact = exactOf(number)!
  const cost = weight && { ...exactOf(weight[0])!, commodity: weight[1] }
  return { ...exact, commodity, shown: exact.places, priced: weight !== null, ...(cost && { cost }) }
}

/** The interpreter in the first line of `bean-check`. */
async function interpreter(): Promise<string | undefined> {
  const found = await output('sh', ['-c', 'command -v bean-check']).catch(() => '')
  if (found.trim() === '') return undefined
  const file = await open(found.trim())
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
    const [line = ''] = buffer.toString('utf8', 0, bytesRead).split('\n')
    return /^#!\s*(?:\/usr\/bin\/env\s+)?(\S+)/.exec(line)?.[1] ?? 'python3'
  } finally {
    await file.close()
  }
}
