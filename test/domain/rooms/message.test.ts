import { message } from '../../../domain/rooms/message/message.ts'
import { room } from '../../../domain/rooms/room/room.ts'
import { specFor, stateOf } from '../../support/spec.ts'

const asked = { room: 'r', text: 'The sea is done', attachments: [] }
const sent = (more: object = {}) => ({ type: 'MessageSent', data: { ...asked, author: 'jon', ...more } }) as const
const deleted = (by: 'author' | 'moderator' | 'retention') => ({ type: 'MessageDeleted', data: { by } }) as const
const seen = (more: object = {}) => {
  const members = [
    { user: 'mira', role: 'owner' as const },
    { user: 'jon', role: 'member' as const },
  ]
  const settings = { privacy: 'private', joining: 'invited', posting: 'members' } as const
  return stateOf(room, [{ type: 'RoomOpened', data: { kind: 'group', title: 'x', ...settings, members, ...more } }])
}
const [mira, jon] = [
  { actor: 'mira', seen: seen() },
  { actor: 'jon', seen: seen() },
]

describe('message', () => {
  const { given } = specFor(message)

  it('is sent once, by the settings of its room', () => {
    given().when('send', asked, jon).then(sent())
    given(sent()).when('send', asked, jon).rejects('message_already_sent')
    const quiet = { ...jon, seen: seen({ posting: 'moderators' }) }
    given().when('send', asked, quiet).rejects('message_by_moderators')
    given()
      .when('send', { ...asked, thread: 'm-0' }, quiet)
      .then(sent({ thread: 'm-0' }))
    given()
      .when('send', asked, { ...jon, seen: seen({ retention_days: 1 }) })
      .then(sent({ expires_at: '2026-02-01T12:00:00.000Z' }))
    given(sent()).when('expire', {}).then(deleted('retention'))
    given(sent(), deleted('author')).when('expire', {}).changesNothing()
  })

  it('is edited by its author, a hundred times at most', () => {
    const edited = (text: string) => ({ type: 'MessageEdited', data: { text } }) as const
    given(sent()).when('edit', { text: 'Done' }, jon).then(edited('Done'))
    given(sent()).when('edit', { text: asked.text }, jon).changesNothing()
    given(sent()).when('edit', { text: 'Done' }, mira).rejects('message_of_another')
    given(sent(), ...Array.from({ length: 100 }, (_, n) => edited(`${n}`)))
      .when('edit', { text: 'Done' }, jon)
      .rejects('message_edits_full')
  })

  it('is deleted by its author or a moderator of its room', () => {
    given(sent()).when('delete', {}, jon).then(deleted('author'))
    given(sent()).when('delete', {}, mira).rejects('message_of_another')
    given(sent(), deleted('author')).when('delete', {}, jon).changesNothing()
    given(sent(), deleted('author')).when('edit', { text: 'x' }, jon).rejects('message_deleted')
    given(sent()).when('moderate', { room: 'r' }, mira).then(deleted('moderator'))
    given(sent()).when('moderate', { room: 'other' }, mira).rejects('message_elsewhere')
    given(sent()).when('moderate', { room: 'r' }, jon).rejects('message_by_moderators')
  })

  it('has one reaction of each kind by each user', () => {
    const added = (user: string, emoji = '👍') => ({ type: 'ReactionAdded', data: { user, emoji } }) as const
    const removed = { type: 'ReactionRemoved', data: { user: 'mira', emoji: '👍' } } as const
    given(sent()).when('react', { emoji: '👍' }, mira).then(added('mira'))
    given(sent(), added('mira')).when('react', { emoji: '👍' }, mira).changesNothing()
    given(sent(), added('mira')).when('unreact', { emoji: '👍' }, mira).then(removed)
    given(sent(), added('mira'), removed).when('unreact', { emoji: '👍' }, mira).changesNothing()
    given(sent(), ...Array.from({ length: 1_000 }, (_, n) => added(`user-${n}`)))
      .when('react', { emoji: '👍' }, mira)
      .rejects('message_reactions_full')
  })
})
