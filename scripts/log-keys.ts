/** The public keys of a log, as verbs take them. */
import { readFile } from 'node:fs/promises'
import { KogiError } from '../domain/kernel/errors.ts'
import { witnessFrom } from '../projections/notary/cosignature.ts'
import { type Verifier, verifierFrom } from '../projections/notary/note.ts'

/** Gathers the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[]) => [...before, value]

/** The text of a file that a person named. Throws `file_unreadable`. */
export const fileText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: Error) => {
    throw new KogiError('file_unreadable', `${file} cannot be read: ${error.message}.`)
  })

/** A public key, or that in a file. Throws `invalid_parameter` for anything else. */
export const verifierIn = (given: string): Promise<Verifier> => keyIn('--key', given, verifierFrom)

/** The public key of a witness, or that in a file. Throws `invalid_parameter` for anything else. */
export const witnessIn = (given: string): Promise<Verifier> => keyIn('--witness', given, witnessFrom)

async function keyIn(option: string, given: string, read: (text: string) => Verifier): Promise<Verifier> {
  const text = given.includes('+') ? given : await fileText(given)
  try {
    return read(text)
  } catch (error) {
    throw new KogiError('invalid_parameter', `${option} ${given}: ${(error as Error).message}`)
  }
}
