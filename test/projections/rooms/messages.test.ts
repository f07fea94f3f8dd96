import { messageTimers } from '../../../projections/rooms/message-timers.ts'
import { messages } from '../../../projections/rooms/messages.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const END = '2026-02-28T12:00:00.000Z'
const sent = {
  type: 'MessageSent',
  data: { room: 'r', author: 'mira', text: 'The sea', attachments: [], thread: 'm-0', expires_at: END },
}
const edited = { type: 'MessageEdited', data: { text: 'The sea is done' } }
const reaction = { user: 'jon', emoji: '👍' }
const reacted = { type: 'ReactionAdded', data: reaction }
const deleted = { type: 'MessageDeleted', data: { by: 'author' } }

describe('rows: messages', () => {
  it('say what they say, what they said before, and who reacted', async () => {
    const { given } = rowsFor(messages)
    await given(sent).then({ ...sent.data, edits: [], reactions: [], is_deleted: false })
    await given(sent, edited, reacted).then({
      text: 'The sea is done',
      edits: [{ text: 'The sea', until: CONTEXT.at }],
      reactions: [reaction],
    })
    await given(sent, reacted, { type: 'ReactionRemoved', data: reaction }).then({ reactions: [] })
    await given(sent, edited, deleted).then({ text: undefined, edits: [], is_deleted: true, deleted_by: 'author' })
  })

  it('end by a timer, where their room has a retention', async () => {
    const { given } = rowsFor(messageTimers)
    await given(sent).then({ due_at: END, command: 'expire' })
    await given(sent, deleted).then()
  })
})
