/** The selected events of an export as people read them: who did what, when, and what changed from what to what. */
import type { AnyAggregate } from '../../../domain/kernel/aggregate.ts'
import { categoryOf } from '../../../domain/kernel/codec.ts'
import type { Json } from '../../../domain/kernel/json.ts'
import { csvField } from '../../../domain/record/csv.ts'
import { phraseOf } from '../../hub/sentences.ts'
import type { Resource } from '../../resource.ts'
import { modelOf } from '../changes.ts'
import { escaped } from './page.ts'
import { type Change, type Client, changesOf } from './rows.ts'
import type { SealWords } from './words.ts'

/** A line of `events.ndjson`; other programs may have written its metadata. */
export type Line = {
  readonly stream: string
  readonly position: string
  readonly type: string
  readonly data?: Json
  readonly metadata: {
    readonly id?: unknown
    readonly at?: unknown
    readonly actor?: { readonly subject?: unknown }
    readonly behalf?: { readonly subject?: unknown }
  }
}

export type Told = {
  readonly position: string
  readonly at: string
  readonly actor: string
  readonly behalf: string
  readonly category: string
  readonly id: string
  readonly type: string
  readonly said: string
  readonly changes: readonly { readonly field: string; readonly from: string; readonly to: string }[]
}

export type Teller = {
  readonly client: Client
  readonly org: string
  readonly aggregates: ReadonlyMap<string, AnyAggregate>
  readonly resources: readonly Resource[]
  readonly words: SealWords
}

/** What some events say, by one statement for each kind of thing among them. */
export async function told(teller: Teller, lines: readonly Line[]): Promise<readonly Told[]> {
  const { client, org, aggregates, resources, words } = teller
  const changes = new Map<string, readonly Change[]>()
  for (const category of new Set(lines.map(({ stream }) => categoryOf(stream)))) {
    const model = modelOf(resources, category)
    if (!model) continue
    const events = lines
      .filter(({ stream }) => categoryOf(stream) === category)
      .map(({ position, metadata }) => ({ id: text(metadata.id), position }))
    for (const [position, found] of await changesOf(client, model, { org, events })) changes.set(position, found)
  }
  await words.learn([...changes.values()].flatMap(found => found.flatMap(({ from, to }) => [from, to])))
  return lines.map(line => {
    const { stream, position, type, metadata } = line
    const category = categoryOf(stream)
    return {
      position,
      at: text(metadata.at),
      actor: text(metadata.actor?.subject),
      behalf: text(metadata.behalf?.subject),
      category,
      id: text(metadata.id),
      type,
      said: sentenceOf(aggregates.get(category), line),
      changes: (changes.get(position) ?? []).map(({ field, from, to }) => ({
        field,
        from: words.of(from),
        to: words.of(to),
      })),
    }
  })
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** Things are named by their ids: names change, and an export is read years later. */
function sentenceOf(aggregate: AnyAggregate | undefined, { type, position, data, metadata, stream }: Line): string {
  const happening = { position, category: categoryOf(stream), id: text(metadata.id), type, actor: '' }
  try {
    const parts = phraseOf(aggregate!, { ...happening, data: data as Readonly<Record<string, unknown>> })
    return parts.map(part => (typeof part === 'string' ? part : (part.id ?? happening.id))).join('')
  } catch {
    return type // An event of another program, or one that cannot be read.
  }
}

export const EVENT_HEADINGS = 'position,at,actor,on_behalf_of,category,id,type,what,changes\r\n'

export const csvLine = ({ position, at, actor, behalf, category, id, type, said, changes }: Told): string => {
  const changed = changes.map(({ field, from, to }) => `${field}: ${from} → ${to}`).join('; ')
  return `${position},${[at, actor, behalf, category, id, type, said, changed].map(csvField).join(',')}\r\n`
}

/** The cells of an event in the page. */
export function cellsOf({ position, at, actor, behalf, category, id, said, changes }: Told): readonly string[] {
  const changed = changes.map(
    ({ field, from, to }) =>
      `<div>${escaped(field)}: <del>${escaped(from) || '–'}</del> → <ins>${escaped(to) || '–'}</ins></div>`,
  )
  return [
    escaped(at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')),
    escaped(actor) + (behalf === '' ? '' : `<br>for ${escaped(behalf)}`),
    escaped(said),
    `${escaped(category)} ${escaped(id)}`,
    changed.join('') || '–',
    escaped(position),
  ]
}
