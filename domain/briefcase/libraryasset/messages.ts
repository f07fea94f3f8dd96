/** An asset of a library. */
import { jsonObject, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'library asset',
  many: 'library assets',
  fields: {
    name: text(255),
    library: ref('library'),
    asset_type: text(50),
    asset_path: text(2_000),
    metadata: jsonObject.default({}),
  },
  example: { name: 'Grotesk', library: 'library-1', asset_type: 'font', asset_path: 'fonts/grotesk.woff2' },
  spellings: { library_id: 'library' },
})
