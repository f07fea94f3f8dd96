/** Personal data is sealed at the command edge, before a rule or the log sees it, and opened again in replies. */
import { type Sealed, sealed } from '../domain/kernel/schema.ts'
import type { Keyring } from './ports.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * Replaces the personal fields of a parsed body by their sealed form. `personal` maps each such field to the one that
 * names its subject; where that one is left out, the subject is the caller.
 */
export async function sealBody(
  keyring: Keyring,
  personal: ReadonlyMap<string, string>,
  body: Body,
  { org, subject }: { readonly org: string; readonly subject: string },
): Promise<{ body: Body; open: Body; subjects: readonly string[] }> {
  const open = Object.fromEntries(Object.entries(body).filter(([field]) => !personal.has(field)))
  const closed: Record<string, Sealed> = {}
  const subjects = new Set<string>()
  for (const [field, subjectField] of personal) {
    if (body[field] === undefined) continue
    const owner = (body[subjectField] as string | undefined) ?? subject
    closed[field] = await keyring.seal(org, owner, body[field] as string)
    subjects.add(owner)
  }
  return { body: { ...open, ...closed }, open, subjects: [...subjects] }
}

/** Opens every sealed member of a value's first level; one whose key is gone reads `null`, with `erased: true`. */
export async function openSealed(keyring: Keyring, org: string, value: Body): Promise<Body> {
  const closed = Object.entries(value).filter((entry): entry is [string, Sealed] => isSealed(entry[1]))
  if (closed.length === 0) return value
  const plain = await keyring.open(
    org,
    closed.map(([, envelope]) => envelope),
  )
  const opened = Object.fromEntries(closed.map(([field], n) => [field, plain[n]]))
  return { ...value, ...opened, ...(plain.includes(null) && { erased: true }) }
}

/** Looks before it parses: nearly every value is no envelope, and a failed parse costs more than the whole command. */
const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && 'nonce' in value && sealed.safeParse(value).success
