/** The headers of a command that name what it expects of its thing. */
import { KogiError } from '../domain/kernel/errors.ts'
import type { Command } from './command.ts'

export type Preconditions = {
  /** Revision the caller has seen, in quotes. */
  readonly ifMatch: string | undefined
  /** `*`: the thing must not exist yet. */
  readonly ifNoneMatch?: string | undefined
}

const ENTITY_TAG = /^(W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"$/
/** What stands between commas; a tag may hold commas of its own. */
const LIST_MEMBER = /(?:[^",]|"[^"]*"|")+/g
const REVISION_TAG = /^"(0|[1-9][0-9]{0,18})"$/

/** The revision of a thing that does not exist. */
const NOT_THERE = -1n

/**
 * What a command expects of its thing. `If-Match` is as RFC 9110 has it (13.1.1): `"12"` or a list, of which one tag
 * must be the revision; `*`, which any thing that exists meets. A tag that is no revision, as a weak one (`W/"12"`), is
 * well-formed and never met. `If-None-Match: *` (13.1.2) asks that the thing does not exist.
 */
export function expectedRevision({ ifMatch, ifNoneMatch }: Preconditions): Command['expectedRevision'] {
  const given = ifMatch?.trim()
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') throw invalidHeader('If-None-Match', 'commands take * alone')
    if (given !== undefined) throw invalidHeader('If-None-Match', 'it cannot stand beside If-Match')
    return NOT_THERE
  }
  if (given === undefined || given === '*') return given
  return tagsOf(given)
    .flatMap(tag => REVISION_TAG.exec(tag)?.[1] ?? [])
    .map(BigInt)
}

/** The entity tags of an `If-Match` other than `*`, of commands and reads. Throws `invalid_parameter`. */
export function tagsOf(ifMatch: string): readonly string[] {
  const tags = (ifMatch.match(LIST_MEMBER) ?? []).map(tag => tag.trim()).filter(tag => tag !== '')
  if (tags.length > 0 && tags.every(tag => ENTITY_TAG.test(tag))) return tags
  throw invalidHeader('If-Match', 'revisions in quotes, as the ETag gave them, "12" or "12", "13", or *')
}

export const invalidHeader = (field: string, message: string) =>
  new KogiError('invalid_parameter', `The header ${field} is not valid: ${message}.`, [{ field, message }])
