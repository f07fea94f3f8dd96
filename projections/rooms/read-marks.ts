import type { z } from 'zod'
import { id, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/rooms/readmark/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('room'),
  user: text(128).meta({ description: 'who moved a mark last' }),
  as: events.RoomMarked.shape.as,
  up_to: events.RoomMarked.shape.up_to,
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = { RoomMarked: made(data => data) }

/** One row per room with marks: the last one that was moved. Those of each member are with the members. */
export const readMarks = projection({
  name: 'read_marks',
  service: 'rooms',
  version: 1,
  history: true,
  of: { readmark: events },
  row,
  key: ['org', 'id'],
  readers: { like: { id: 'rooms' } },
  on,
  reads: [
    {
      one: 'read mark',
      many: 'read marks',
      path: '/read-marks',
      permission: 'rooms.read',
      names: ['id'],
      order: ['id'],
      summary: { list: 'The mark of each room that was moved last.', get: 'The mark of a room that was moved last.' },
    },
  ],
})
