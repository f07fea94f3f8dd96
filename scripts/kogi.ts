#!/usr/bin/env node
/**
 * The CLI. A build has the texts of every `--help` as files (`write-help.ts`), so that help comes without loading what
 * the verbs need; everything else is in `main.ts`.
 */
import { readFileSync } from 'node:fs'
import { VERSION } from '../infra/version.ts'

const [first, ...rest] = process.argv.slice(2)
const help = writtenHelp(process.argv.slice(2))
if (rest.length === 0 && (first === '--version' || first === '-V')) process.stdout.write(`${VERSION}\n`)
else if (help !== undefined) process.stdout.write(help)
else await import('./main.ts')

/** The text of `kogi <verb> --help`; `undefined` where something else is asked, or where there are no such files. */
function writtenHelp(args: readonly string[]): string | undefined {
  const [last, words] = [args.at(-1), args.slice(0, -1)]
  if ((last !== '--help' && last !== '-h') || !words.every(word => /^[a-z-]+$/.test(word) && !word.startsWith('-')))
    return undefined
  try {
    return readFileSync(new URL(`help/${['kogi', ...words].join('.')}.txt`, import.meta.url), 'utf8')
  } catch {
    return undefined
  }
}
