/** Real data with independent answers: its folder comes from KOGI_DATA_SETS, and no figure of it stands in a test. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = process.env.KOGI_DATA_SETS

/** Skips the calling suite, with a line that says so, where the data set is not there. */
export function dataSet(suite: Mocha.Suite, name: string, ...files: string[]) {
  const missing = !folder
    ? 'KOGI_DATA_SETS is not set'
    : ['ORACLES.json', ...files.map(file => path.join(name, file))].find(file => !existsSync(path.join(folder, file)))
  if (missing) {
    console.log(`    skipped: data set ${name} is absent (${missing})`)
    suite.beforeAll(function () {
      this.skip()
    })
  }
  return {
    oracle: missing ? undefined : JSON.parse(readFileSync(path.join(folder!, 'ORACLES.json'), 'utf8'))[name],
    file: (file: string) => path.join(folder ?? '', name, file),
    text: (file: string) => readFileSync(path.join(folder ?? '', name, file), 'utf8'),
  }
}

/** Rows of a CSV file with a header line; quoted fields are not used by the sets that are read this way. */
export function csv(text: string): Record<string, string>[] {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/)
  if (text.includes('"')) throw new Error('this reader knows no quoted fields')
  const names = header!.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((value, n) => [names[n]!, value])))
}

/** Lines `key,integer` sorted bytewise, each ended by a line feed, hashed with SHA-256. */
export function checksum(lines: Iterable<string>): string {
  const bytes = [...lines].map(line => Buffer.from(`${line}\n`)).sort(Buffer.compare)
  return createHash('sha256').update(Buffer.concat(bytes)).digest('hex')
}

/** Rows by the value of one column, in the order of their first appearance. */
export function groupBy(rows: readonly Record<string, string>[], column: string) {
  const groups = new Map<string, Record<string, string>[]>()
  for (const row of rows) {
    const group = groups.get(row[column]!)
    if (group) group.push(row)
    else groups.set(row[column]!, [row])
  }
  return groups
}
