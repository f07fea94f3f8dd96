/** The file's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, integer, jsonObject, object, ref, text, unsigned64 } from '../../kernel/schema.ts'
import { subjectName } from '../../record/subject.ts'

const name = text(255)
/** What is stored: the bytes themselves are kept outside of the log, under their digest. */
const content = {
  type: text(127).meta({ description: 'media type, as the content says it' }),
  size: unsigned64.meta({ description: 'bytes' }),
  sha256: text(64).meta({ description: 'SHA-256 of the bytes, in hexadecimal digits' }),
}
const version = integer(1, 2 ** 31 - 1)

export const events = {
  FileAdded: object({ item: id('item'), name, ...content, owner: subjectName }),
  FileVersionAdded: object({ version, ...content }),
  FileChanged: object({ name: name.optional(), metadata: jsonObject.optional() }),
  FileRemoved: object({}),
} as const

export const commands = {
  add: object({ id: id('file').optional(), item: ref('item'), name, ...content }),
  addVersion: object(content),
  change: object({ name: name.optional(), metadata: jsonObject.optional() }).meta({
    examples: [{ name: 'Offer 2.pdf', metadata: { signed: true } }],
  }),
  remove: object({}),
} as const

export const rejections = ['file_already_added', 'file_removed'] as const
