/** The sealed fields in the events of an export, opened for a recipient: a side file, which is made as it is sent. */
import { canonicalJson, type Json } from '../../domain/kernel/json.ts'
import { type Sealed, sealed } from '../../domain/kernel/schema.ts'
import type { Unseal } from '../rows.ts'
import { EVENTS } from './bundle.ts'
import { isCredential } from './credentials.ts'
import type { BundleSource } from './source.ts'
import { linesOf } from './verify.ts'

/** Envelopes that are opened together. */
const BATCH = 200

type Line = {
  readonly stream: string
  readonly position: string
  readonly id: string
  readonly type: string
  readonly data?: Json
}
type Found = { readonly line: Line; readonly path: string; readonly envelope: Sealed }

/**
 * Lines of JSON: first `head`, then one for each sealed field: its event, its place in the event's data, and its text;
 * `erased` or `key_missing` where nobody can open it, `withheld` in the place of a credential, which is not opened.
 */
export async function* openedFields(
  source: BundleSource,
  { head, org, unseal }: { readonly head: object; readonly org: string; readonly unseal: Unseal },
): AsyncGenerator<Uint8Array> {
  yield lineOf(head)
  let batch: Found[] = []
  for await (const { bytes } of linesOf(source, EVENTS)) {
    const line = JSON.parse(bytes.toString()) as Line
    if (line.data === undefined) continue
    for (const [path, envelope] of sealedIn(line.data)) batch.push({ line, path, envelope })
    if (batch.length < BATCH) continue
    yield await opened(batch, org, unseal)
    batch = []
  }
  if (batch.length > 0) yield await opened(batch, org, unseal)
}

/** The sealed texts in a value, each with its place: `holder`, `lines.0.note`. */
function sealedIn(value: Json, place = ''): readonly (readonly [place: string, envelope: Sealed])[] {
  if (typeof value !== 'object' || value === null) return []
  if (!Array.isArray(value) && 'nonce' in value) {
    const { success, data } = sealed.safeParse(value)
    if (success) return [[place, data]]
  }
  return Object.entries(value).flatMap(([name, member]) => sealedIn(member, place === '' ? name : `${place}.${name}`))
}

async function opened(batch: readonly Found[], org: string, unseal: Unseal): Promise<Uint8Array> {
  const open = batch.filter(({ line: { type }, path }) => !isCredential(type, path))
  const unsealed = await unseal(
    org,
    open.map(({ envelope }) => envelope),
  )
  const texts = new Map(open.map((found, at) => [found, unsealed[at]]))
  const lines = batch.map(found => {
    const { line, path: field, envelope } = found
    const { position, id, stream, type } = line
    const said = texts.has(found) ? saidOf(texts.get(found)) : { withheld: true }
    return lineOf({ position, id, stream, type, field, key: envelope.key, ...said })
  })
  return Buffer.concat(lines)
}

const saidOf = (text: string | null | undefined) =>
  typeof text === 'string' ? { text } : text === null ? { erased: true } : { key_missing: true }

const lineOf = (value: object): Uint8Array => Buffer.from(`${canonicalJson(value)}\n`)
