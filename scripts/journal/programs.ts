/** Runs the programs that read journals. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** hledger writes some 2 kB for each posting; a string of Node holds half a gigabyte. */
const OUTPUT_BYTES_MAX = 500 * 2 ** 20

/** What a program writes to its standard output. Rejects where it fails. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  // The programs read bytes as their locale says, and journals are UTF-8.
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  return (await run(program, args, { env, maxBuffer: OUTPUT_BYTES_MAX })).stdout
}

const codeOf = (error: unknown) => (error as { code?: unknown }).code

export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT'

export const isTooLong = (error: unknown): boolean => codeOf(error) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'

/** What a program that failed wrote about it. */
export const said = (error: unknown): string => (error as { stderr?: string }).stderr?.trim() || String(error)
