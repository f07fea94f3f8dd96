/** The public keys of a log, as verbs take them. */
import { readFile } from 'node:fs/promises'
import { KogiError } from '../domain/kernel/errors.ts'
import { type Verifier, verifierFrom } from '../projections/notary/note.ts'

/** Gathers the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[]) => [...before, value]

/** The text of a file that a person named. Throws `file_unreadable`. */
export const fileText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: Error) => {
    throw new KogiError('file_unreadable', `${file} cannot be read: ${error.message}.`)
  })

/** A public key, or that in a file. Throws `invalid_parameter` for anything else. */
export async function verifierIn(given: string): Promise<Verifier> {
  const text = given.includes('+') ? given : await fileText(given)
  try {
    return verifierFrom(text)
  } catch (error) {
    throw new KogiError('invalid_parameter', `--key ${given}: ${(error as Error).message}`)
  }
}
