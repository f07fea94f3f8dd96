import { othersIn } from '../read-api/audit/left-files.ts'

/** Names on standard error what verification has ignored in a folder with these files of its own, and returns it. */
export async function noteIgnored(folder: string, own: readonly string[]): Promise<readonly string[]> {
  const { ignored } = await othersIn(folder, own)
  if (ignored.length > 0) {
    process.stderr.write(`kogi: ignored in ${folder}, left there by a file manager: ${ignored.join(', ')}\n`)
  }
  return ignored
}
