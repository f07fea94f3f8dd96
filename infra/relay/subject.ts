/** The subjects of the event bus: `kogi.<org>.<service>.<category>.<Event>`. */

/** The first token of every subject. */
export const SUBJECT_ROOT = 'kogi'

/**
 * One token of a subject for any text: letters, digits, `-` and `_` stand for themselves, every other byte of its UTF-8
 * form is `%XX`. NATS gives a meaning to spaces, `.`, `*` and `>`, and its client does not look for them.
 */
export const tokenOf = (text: string): string => (PLAIN.test(text) ? text : encoded(text))

const PLAIN = /^[A-Za-z0-9_-]+$/
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[.!~*'()]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** The text that a token stands for. Throws `URIError` for what `tokenOf` never makes. */
export function textOf(token: string): string {
  if (!/^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+$/.test(token)) throw new URIError(`${token} is no token of a subject`)
  return decodeURIComponent(token)
}

export const subjectOf = (org: string, service: string, category: string, type: string): string =>
  [SUBJECT_ROOT, ...[org, service, category, type].map(tokenOf)].join('.')
