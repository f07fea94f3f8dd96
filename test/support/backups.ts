/** What tests of backups share. */
/** The files of a backup. */
export const FILES = ['events.ndjson', 'keys.ndjson', 'files.ndjson', 'settings.json', 'manifest.json'] as const
/** Those that are never empty. */
export const FILLED = FILES.filter(name => name !== 'files.ndjson')

export type Refusal = {
  readonly code: string
  readonly status: number
  readonly text: string
  /** What the details are about. */
  readonly fields: readonly string[]
}

/** The error that a verb with `--json` printed; fails where it did not fail. */
export async function refusal(verb: Promise<string>): Promise<Refusal> {
  const failed = await verb.then(
    said => {
      throw new Error(`it was not refused: ${said}`)
    },
    (error: { stdout: string; code: number; message: string }) => error,
  )
  const { error } = JSON.parse(failed.stdout?.trim().split('\n').at(-1) || '{}')
  if (!error) throw new Error(failed.message)
  const fields = error.details.map(({ field }: { field: string }) => field)
  return { code: error.code, status: failed.code, text: JSON.stringify(error), fields }
}
