import { othersIn } from '../read-api/audit/left-files.ts'

/** Names on standard error what verification has ignored in a folder with these files of its own, and returns it. */
export const noteIgnored = async (folder: string, own: readonly string[]): Promise<readonly string[]> =>
  saidIgnored(folder, (await othersIn(folder, own)).ignored)

export function saidIgnored(place: string, ignored: readonly string[]): readonly string[] {
  if (ignored.length > 0) {
    process.stderr.write(`kogi: ignored in ${place}, left there by a file manager: ${ignored.join(', ')}\n`)
  }
  return ignored
}
