/** The read marks' storage and wire contract: add, never rename; change a shape with an upcaster. */
import { object, oneOf, text, unsigned64 } from '../../kernel/schema.ts'

const position = unsigned64.meta({ description: 'the position of the last message' })

export const events = {
  RoomMarked: object({ user: text(128), as: oneOf('delivered', 'read'), up_to: position }),
} as const

export const commands = {
  deliver: object({ up_to: position }).meta({ examples: [{ up_to: '1' }] }),
  read: object({ up_to: position }).meta({ examples: [{ up_to: '2' }] }),
} as const
