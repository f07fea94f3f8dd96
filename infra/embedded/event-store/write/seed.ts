import { randomUUID } from 'node:crypto'
import type { NewEvent } from '../log/frame.ts'
import { FIRST_POSITION } from '../log/scan.ts'
import type { Writer } from './committer.ts'

/** The events that a new EventStoreDB finds in its log; the first of them stands before the beginning of `$all`. */

const EPOCH_POSITION = 230

export async function seed(writer: Writer): Promise<void> {
  const epoch = {
    epochPosition: 0,
    epochNumber: 0,
    epochId: randomUUID(),
    prevEpochPosition: -1,
    timeStamp: new Date().toISOString(),
  }
  await place(writer, '$epoch-information', '$epoch-information', epoch, EPOCH_POSITION)
  const scavenges = {
    $maxAge: 2_592_000,
    $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] },
  }
  await place(writer, '$$$scavenges', '$metadata', scavenges, FIRST_POSITION)
}

function place(writer: Writer, stream: string, type: string, data: object, position: number): Promise<void> {
  const event: NewEvent = {
    id: randomUUID(),
    type: Buffer.from(type),
    json: true,
    metadata: Buffer.alloc(0),
    data: Buffer.from(JSON.stringify(data)),
  }
  return new Promise((resolve, reject) => {
    writer.place(stream, event, position, error => (error ? reject(error) : resolve()))
  })
}
