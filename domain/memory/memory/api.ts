import type { Operation } from '../../kernel/aggregate.ts'
import type { commands } from './messages.ts'

/** How clients give the commands of memories. */
export const api: { readonly [K in keyof typeof commands]: Operation | 'internal' } = {
  store: [
    'POST /memories',
    'memories.write',
    'Store a memory; the answer names those that say the same, or nearly so.',
  ],
  revise: ['PATCH /memories/:id', 'memories.write', 'Revise what a memory says: null removes.'],
  tag: ['POST /memories/:id/tag', 'memories.write', 'Give a memory tags.'],
  untag: ['POST /memories/:id/untag', 'memories.write', 'Take tags off a memory.'],
  link: ['POST /memories/:id/link', 'memories.write', 'Link a memory to another one, or to a thing.'],
  unlink: ['POST /memories/:id/unlink', 'memories.write', 'Take a link of a memory away.'],
  setExpiry: ['PUT /memories/:id/expiry', 'memories.write', 'Say when a memory is forgotten by itself.'],
  setPrivacy: ['PUT /memories/:id/privacy', 'memories.write', 'Say whether the whole organization reads a memory.'],
  share: ['POST /memories/:id/share', 'memories.write', 'Let a user, a team or a module read and change a memory.'],
  unshare: ['POST /memories/:id/unshare', 'memories.write', 'Withdraw a share of a memory.'],
  archive: ['POST /memories/:id/archive', 'memories.write', 'Archive a memory: it is found, and changes no more.'],
  unarchive: ['POST /memories/:id/unarchive', 'memories.write', 'Let an archived memory change again.'],
  expire: 'internal',
  forget: ['DELETE /memories/:id', 'memories.write', 'Forget a memory for good: the key of its text is destroyed.'],
}
