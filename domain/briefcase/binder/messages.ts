/** A binder: things of a workspace put together, in order. */
import { id, list, object, oneOf, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'binder',
  many: 'binders',
  fields: {
    name: text(255),
    description: text(10_000).optional(),
    workspace: ref('workspace'),
    /** What it holds, in order. */
    content: list(
      object({ content_type: oneOf('item', 'file', 'book', 'note', 'link'), content_id: id('thing') }),
      500,
    ).default([]),
  },
  example: {
    name: 'For the bank',
    workspace: 'workspace-1',
    content: [{ content_type: 'item', content_id: 'item-1' }],
  },
  spellings: { workspace_id: 'workspace' },
})
