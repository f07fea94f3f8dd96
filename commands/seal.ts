/** Personal data is sealed before a rule or the log sees it, and opened again in replies. */
import type { z } from 'zod'
import { fieldInfo, type Sealed, sealed } from '../domain/kernel/schema.ts'
import { ownKeyOf } from '../domain/record/subject.ts'
import type { Command } from './command.ts'
import { fingerprintOf } from './ids.ts'
import type { Keyring } from './ports.ts'
import { isMade, newSecret } from './secrets.ts'

type Body = Readonly<Record<string, unknown>>

/** A command's body as the rules see it. */
export type SealedBody = {
  readonly body: Body
  /** Covers the personal fields by their digests. */
  readonly fingerprint: string
  /** The fingerprint as it was made before sealed texts had digests: without the personal fields. */
  readonly oldFingerprint?: string
  /** Subjects whose personal data the body holds. */
  readonly subjects: readonly string[]
}

const personalOf = new WeakMap<z.ZodObject, ReadonlyMap<string, string>>()

/**
 * Replaces the personal fields of a body by their sealed form: under the subject that the thing's state names, or, for
 * a thing that is to be opened, the one that the body names, the caller where it names none; or under a key of the
 * thing's own (`ownersOf`). Throws `subject_erased`, also for commands that keep something of an erased subject
 * elsewhere. `isInLog`: whether the log has the thing, and not only the draft.
 */
export async function sealBody(
  keyring: Keyring,
  command: Command,
  state: unknown,
  isInLog = false,
): Promise<SealedBody> {
  const { aggregate, name, principal } = command
  const body = command.body as Body
  const printOf = (fields: Body) =>
    fingerprintOf(aggregate, name, command.named ? { ...fields, id: command.id } : fields)
  const schema = aggregate.commands[name] as z.ZodObject
  const personal = personalOf.get(schema) ?? personalFields(schema)
  personalOf.set(schema, personal)
  if (aggregate.keeps?.includes(name)) {
    const owner = aggregate.subjectOf?.(state) ?? principal.subject
    for (const subject of new Set([owner, principal.subject])) await keyring.mustNotBeErased(principal.org, subject)
  }
  if (personal.size === 0) return { body, fingerprint: printOf(body), subjects: [] }

  const owned = aggregate.ownersOf?.(state, body, principal.subject) ?? []
  const owners = owned.length > 0 ? owned : undefined
  // A state without a subject has no owners of its own: they are those of the command.
  const isSettled = isInLog && command.dryRun === undefined && aggregate.subjectOf?.(state) !== undefined
  if (isSettled) await settleOwners(keyring, command, state)
  const closed: Record<string, Sealed> = {}
  const subjects = new Set<string>()
  for (const [field, subjectField] of personal) {
    const made = isMade(schema.shape[field] as z.ZodType)
    const plain = made ? newSecret() : body[field]
    if (typeof plain !== 'string') continue
    const named = aggregate.subjectOf?.(state) ?? (body[subjectField] as string | undefined) ?? principal.subject
    const key = owners ? ownKeyOf(aggregate.name, command.id) : named
    closed[field] = await keyring.seal(principal.org, key, plain, { makeKey: command.dryRun === undefined, owners })
    for (const each of owners ?? [named]) subjects.add(each)
  }
  // A secret is another one on every try: it tells no two commands apart.
  const sent = Object.entries(closed).filter(([field]) => !isMade(schema.shape[field] as z.ZodType))
  const digests = Object.fromEntries(sent.map(([field, { digest }]) => [field, digest]))
  const without = Object.fromEntries(Object.entries(body).filter(([field]) => !(field in closed)))
  return {
    body: { ...body, ...closed },
    fingerprint: printOf({ ...body, ...digests }),
    oldFingerprint: printOf(without),
    subjects: [...subjects],
  }
}

/**
 * Leaves the key of a thing that the log has to those whose data it holds. Commands that were refused, or came too
 * late, may have named others.
 */
export async function settleOwners(keyring: Keyring, command: Command, state: unknown): Promise<void> {
  const { aggregate, id, principal } = command
  const owners = aggregate.ownersOf?.(state, {}, principal.subject) ?? []
  if (owners.length > 0) await keyring.own(principal.org, ownKeyOf(aggregate.name, id), owners)
}

/** Whether data holds sealed text of before digests were introduced. */
export const hasOldSeals = (data: Body): boolean =>
  Object.values(data).some(value => isSealed(value) && value.digest === undefined)

/**
 * Opens every sealed member of a value's first level. One whose key was erased reads `null`, with `erased: true`; one
 * whose key is missing reads `null`, with `personal_key_missing: true`.
 */
export async function openSealed(keyring: Keyring, org: string, value: Body): Promise<Body> {
  const closed = Object.entries(value).filter((entry): entry is [string, Sealed] => isSealed(entry[1]))
  if (closed.length === 0) return value
  const plain = await keyring.open(
    org,
    closed.map(([, envelope]) => envelope),
  )
  const opened = Object.fromEntries(closed.map(([field], n) => [field, plain[n] ?? null]))
  return {
    ...value,
    ...opened,
    ...(plain.includes(null) && { erased: true }),
    ...(plain.includes(undefined) && { personal_key_missing: true }),
  }
}

/** Looks before it parses: nearly every value is no envelope, and a failed parse costs more than the whole command. */
export const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && 'nonce' in value && sealed.safeParse(value).success

/** The personal fields of a command's schema: field name → the field that names the subject. */
export function personalFields(schema: z.ZodObject): ReadonlyMap<string, string> {
  const found = Object.entries(schema.shape).flatMap(([name, field]) => {
    const subject = fieldInfo(field).personal
    return subject === undefined ? [] : [[name, subject] as const]
  })
  return new Map(found)
}
