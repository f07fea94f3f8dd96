/** What operators decide about steps that are parked: events of a stream that is kept for ever. */
import { z } from 'zod'
import { uuidOf } from '../ids.ts'
import type { EventStore } from '../ports.ts'

const decision = z.object({
  /** The id of the event whose step is parked. */
  event: z.string(),
  decision: z.enum(['retry', 'abandon']),
  reason: z.string().optional(),
  actor: z.string(),
  at: z.string(),
})
export type Decision = z.output<typeof decision>

const streamOf = (process: string) => `worker_decision-${process}`
const TYPES = { retry: 'ProcessStepRetried', abandon: 'ProcessStepAbandoned' } as const
const PAGE = 1_000

/** Writes a decision; the worker that runs the process acts on it within a second or two. */
export async function writeDecision(store: EventStore, process: string, data: Decision): Promise<void> {
  const stream = streamOf(process)
  const id = uuidOf([stream, data.event, data.decision, data.at])
  await store.appendDerived(stream, [
    { id, type: TYPES[data.decision], data: decision.encode(data) as never, metadata: {} },
  ])
}

/** The decisions behind a revision, with their revisions. */
export async function decisionsAfter(
  store: EventStore,
  process: string,
  revision: number,
): Promise<readonly (Decision & { readonly revision: number })[]> {
  const events = await store.read(streamOf(process), BigInt(revision + 1), PAGE)
  return events.map(({ data, revision }) => ({ ...decision.parse(data), revision: Number(revision) }))
}
