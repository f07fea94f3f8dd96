/** The item book's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, integer, list, object, oneOf, text } from '../../kernel/schema.ts'

/** Parts that a book has once, under this name. */
export const TEXTS = ['charter', 'executive_summary', 'details', 'guidelines'] as const
/** Kinds of parts of which a book has many, in order. */
export const LISTED = ['section', 'note', 'reference', 'annotation'] as const

/** Parts of one book. */
export const PARTS_MAX = 1_000

const part = id('part')
const kind = oneOf(...TEXTS, ...LISTED)
const title = text(255)
const content = text(300_000)
const url = text(2_000)
const about = id('part').meta({ description: 'the part that an annotation is about' })
const comment = text(1_000).meta({ description: 'what was changed and why, for the list of versions' })
const version = integer(1, 2 ** 31 - 1)
const said = { title: title.optional(), content: content.optional(), url: url.optional(), about: about.optional() }

/** Characters of a rank. */
export const RANK_MAX = 255
/** Orders the parts of a kind, by its code points. */
const rank = text(RANK_MAX)
/** A part as it is from now on. */
const written = object({ part, kind, rank: rank.optional(), ...said })

export const events = {
  /** Every change of a book makes a version: the parts that are others now, and those that are gone. */
  BookEdited: object({
    version,
    parts: list(written, PARTS_MAX),
    /** Parts that stand elsewhere now, and say what they did. */
    moved: list(object({ part, rank }), PARTS_MAX),
    removed: list(part, PARTS_MAX),
    comment: comment.optional(),
    restores: version.optional(),
  }),
} as const

const listOf = (what: string) =>
  list(object({ id: part.optional(), ...said }), PARTS_MAX)
    .optional()
    .meta({
      description: `all ${what}, in order, instead of those there were; one with the \`id\` of one stays that one`,
    })

export const commands = {
  edit: object({
    charter: content.nullable().optional(),
    executive_summary: content.nullable().optional(),
    details: content.nullable().optional(),
    guidelines: content.nullable().optional(),
    sections: listOf('sections'),
    notes: listOf('notes'),
    references: listOf('references'),
    annotations: listOf('annotations'),
    comment: comment.optional(),
  }).meta({
    examples: [
      {
        charter: 'A website that sells bread before it is baked.',
        sections: [{ id: 'scope', title: 'Scope', content: 'Shop, orders, opening hours.' }],
        references: [{ title: 'The brief', url: 'https://example.com/brief' }],
      },
    ],
  }),
  writePart: object({
    part,
    kind,
    ...said,
    before: part.optional().meta({ description: 'the part of its kind that it is to stand before' }),
    comment: comment.optional(),
  }).meta({
    examples: [{ part: 'scope', kind: 'section', title: 'Scope', content: 'Shop, orders, opening hours.' }],
  }),
  movePart: object({
    part,
    before: part.nullable().meta({ description: 'the part that it is to stand before; null: behind all others' }),
    comment: comment.optional(),
  }).meta({ examples: [{ part: 'scope', before: null }] }),
  removePart: object({ part, comment: comment.optional() }).meta({ examples: [{ part: 'scope' }] }),
  rewrite: object({ restores: version, parts: list(written, PARTS_MAX), comment: comment.optional() }),
} as const

export const rejections = ['book_too_large', 'book_full', 'part_unknown', 'part_misnamed', 'part_named_twice'] as const
