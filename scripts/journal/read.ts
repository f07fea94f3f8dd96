/** Reads a journal with the program that can, and says which it was and what it had to decide. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { KogiError } from '../../domain/kernel/errors.ts'
import { throughBeancount } from './beancount.ts'
import { loneCommas, loneCommasOfJson, type Reader } from './commas.ts'
import { HledgerSaysNo, throughHledger } from './hledger.ts'
import { parseHledgerJson } from './hledger-json.ts'
import { ImportRefused, type Journal, placeText } from './journal.ts'
import { throughLedger } from './ledger.ts'
import { output } from './programs.ts'

const NO_HLEDGER = `Reading a journal takes the program hledger, which is not installed. Install it
(https://hledger.org/install; on Debian and Ubuntu: apt install hledger), or run where it is installed

  hledger -f JOURNAL print -x -O json > journal.json

and import journal.json instead. A journal for ledger takes ledger (apt install ledger) and --reader ledger.`

const NO_LEDGER = `Reading it with ledger takes the program ledger, which is not installed. Install it
(https://ledger-cli.org; on Debian and Ubuntu: apt install ledger).`

const NO_BEANCOUNT = `Reading a beancount file takes the program beancount, which is not installed. Install it
(https://beancount.github.io; on Debian and Ubuntu: apt install beancount).`

export type ReadJournal = {
  readonly journal: Journal
  /** The program that read it, or that wrote the JSON. */
  readonly reader: Reader
  /** One line each, with file and line. */
  readonly warnings: readonly string[]
}

/**
 * Reads a journal, or, from a file named `.json`, what `hledger print -x -O json` made of one. Without a `reader` it is
 * beancount for a file with its ending, else hledger, and ledger for a syntax that ledger alone has. Throws
 * `ImportRefused` where the program finds the journal invalid: syntax, a transaction that does not balance, an
 * assertion that fails.
 */
export async function readJournal(file: string, reader?: Reader): Promise<ReadJournal> {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) {
    const what = found ? 'This is a folder, not a journal.' : 'There is no such file.'
    throw new ImportRefused('journal_not_found', what, { file })
  }
  const read = file.endsWith('.json') ? await readJson(file) : await readText(path.resolve(file), reader)
  if (read.journal.length === 0) throw new ImportRefused('journal_empty', 'The file holds no transaction.', { file })
  return read
}

async function readJson(file: string): Promise<ReadJournal> {
  const journal = parseHledgerJson(await readFile(file, 'utf8'), file)
  return { journal, reader: 'hledger', warnings: loneCommasOfJson(journal) }
}

async function readText(file: string, wanted: Reader | undefined): Promise<ReadJournal> {
  if (wanted === 'beancount' || (wanted === undefined && /\.(beancount|bean)$/.test(file))) {
    return readWithBeancount(file)
  }
  if (wanted === 'ledger') return readWithLedger(file, [])
  try {
    const journal = await throughHledger(file)
    if (!journal) throw new KogiError('hledger_missing', NO_HLEDGER)
    if ((await loneCommas(journal, 'hledger', [])).length === 0) return { journal, reader: 'hledger', warnings: [] }
    // A directive in a file without transactions may say what a comma means.
    const files = await output('hledger', ['-f', file, 'files']).catch(() => '')
    return {
      journal,
      reader: 'hledger',
      warnings: await loneCommas(journal, 'hledger', files.split('\n').filter(Boolean)),
    }
  } catch (error) {
    if (wanted || !(error instanceof HledgerSaysNo && error.isSyntax)) throw error
    return readForLedger(file, error)
  }
}

/** A text that hledger cannot read may be one for ledger. */
async function readForLedger(file: string, refusal: HledgerSaysNo): Promise<ReadJournal> {
  const what = `${placeText(refusal.place)}: hledger cannot read this line; ledger can, and read the journal.`
  try {
    return await readWithLedger(file, [what])
  } catch (error) {
    if (!(error instanceof KogiError)) throw error
    const hint =
      error instanceof ImportRefused
        ? `ledger cannot read it either: ${error.message}`
        : 'If the journal is for ledger, install that as well (apt install ledger): it is then read with it.'
    throw new ImportRefused('journal_invalid', `${refusal.said}\n${hint}`, refusal.place)
  }
}

async function readWithLedger(file: string, warnings: readonly string[]): Promise<ReadJournal> {
  const journal = await throughLedger(file)
  if (!journal) throw new KogiError('ledger_missing', NO_LEDGER)
  return { journal, reader: 'ledger', warnings: [...warnings, ...(await loneCommas(journal, 'ledger', [file]))] }
}

async function readWithBeancount(file: string): Promise<ReadJournal> {
  const journal = await throughBeancount(file)
  if (!journal) throw new KogiError('beancount_missing', NO_BEANCOUNT)
  return { journal, reader: 'beancount', warnings: await loneCommas(journal, 'beancount', [file]) }
}
