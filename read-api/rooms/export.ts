/** A room as a file: one message a line. */
import { setImmediate } from 'node:timers/promises'
import { messages } from '../../projections/rooms/messages.ts'
import { rooms } from '../../projections/rooms/rooms.ts'
import type { Question } from '../center/question.ts'
import { inQuery, invalidParameter } from '../parameters.ts'

/** Messages of one file; later ones follow behind its last position. */
const MESSAGES_MAX = 50_000
const LINES_AT_ONCE = 2_000

const after = inQuery('after_position', messages.row.shape.position, 'only messages behind this position')

export const roomExportQuestion: Question = {
  path: '/krms/rooms/:id/export',
  tag: 'krms',
  operationId: 'exportRoom',
  summary: `The messages of a room as JSON lines, ${MESSAGES_MAX} at most, in their order.`,
  permission: 'rooms.messages.read',
  parameters: [after],
  of: [messages],
  within: rooms,
  media: ['text/plain'],
  sql({ rows, put, params, query }) {
    if (query.after_position !== undefined && !/^\d{1,19}$/.test(query.after_position)) {
      throw invalidParameter('after_position', 'must be a position')
    }
    return `select m.position::text, m.id, m.author, m.sent_at, m.text, m.attachments, m.thread, m.reply_to,
        m.is_deleted, m.edits, m.reactions
      from ${rows(messages)} m where m.room = ${put(params.id)}
        and m.position > ${put(query.after_position ?? '0')}::bigint order by m.position limit ${MESSAGES_MAX}`
  },
  async file(rows) {
    let content = ''
    for (let at = 0; at < rows.length; at += LINES_AT_ONCE) {
      if (at > 0) await setImmediate()
      for (const row of rows.slice(at, at + LINES_AT_ONCE)) {
        const named = NAMES.map((name, n) => [name, row[n]] as const).filter(([, value]) => value !== null)
        content += `${JSON.stringify(Object.fromEntries(named))}\n`
      }
    }
    return { name: 'room.jsonl', type: 'text/plain; charset=utf-8', content }
  },
}

const NAMES = 'position id author sent_at text attachments thread reply_to is_deleted edits reactions'.split(' ')
