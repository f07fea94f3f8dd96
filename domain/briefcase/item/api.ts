import type { Operation } from '../../kernel/aggregate.ts'
import type { commands } from './messages.ts'

/** How clients reach the commands of items. */
export const api: Readonly<Record<keyof typeof commands, Operation | 'internal'>> = {
  add: [
    'POST /items',
    'items.write',
    'Add an item to the portfolio; its owners may add an archived one anew, which is shared with nobody then.',
  ],
  replace: [
    'PUT /items/:id',
    'items.write',
    'Replace what an item says: what is left out is removed, but for type and status.',
  ],
  update: [
    'PATCH /items/:id',
    'items.write',
    'Change any fields of an item, merged as RFC 7396 says: null removes; what is not named stays.',
  ],
  changeStatus: ['PUT /items/:id/status', 'items.write', 'Move an item to another status.'],
  archive: ['DELETE /items/:id', 'items.write', 'Archive an item.'],
  restore: ['PUT /items/:id/restore', 'items.write', 'Take an item out of the archive again, as it was.'],
  appraise: [
    'PUT /items/:id/value',
    'items.write',
    'Say what an item is worth from a day on, today where none is named, instead of what was said of that day.',
  ],
  withdrawValue: [
    'DELETE /items/:id/values/:on',
    'items.write',
    'Take back what an item was said to be worth on a day.',
  ],
  share: ['PUT /items/:id/shares', 'items.write', 'Share an item with a user or a team, or give them another role.'],
  unshare: ['DELETE /items/:id/shares/:kind/:with', 'items.write', 'Share an item with a user or a team no more.'],
  setEditing: ['PUT /items/:id/editing', 'items.write', 'Say who may change an item.'],
  setPrivacy: ['PUT /items/:id/privacy', 'items.write', 'Say who may read an item, its book, files and workspaces.'],
  refusePlacement: 'internal',
}
