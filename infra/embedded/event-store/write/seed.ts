/** Writes the events that a new EventStoreDB finds in its log; the first stands before the beginning of `$all`. */
import { randomUUID } from 'node:crypto'
import { FIRST_POSITION } from '../log/scan.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'
import type { Committer } from './committer.ts'

const EPOCH_POSITION = 230

export async function seed(committer: Committer): Promise<void> {
  const epoch = {
    epochPosition: 0,
    epochNumber: 0,
    epochId: randomUUID(),
    prevEpochPosition: -1,
    timeStamp: new Date().toISOString(),
  }
  await place(committer, '$epoch-information', '$epoch-information', epoch, EPOCH_POSITION)
  const scavenges = {
    $maxAge: 2_592_000,
    $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] },
  }
  await place(committer, '$$$scavenges', '$metadata', scavenges, FIRST_POSITION)
}

function place(committer: Committer, stream: string, type: string, data: object, position: number): Promise<void> {
  const event: ProposedEvent = {
    id: randomUUID(),
    type: Buffer.from(type),
    json: true,
    metadata: Buffer.alloc(0),
    data: Buffer.from(JSON.stringify(data)),
  }
  return new Promise((resolve, reject) => {
    committer.place(stream, event, position, error => (error ? reject(error) : resolve()))
  })
}
