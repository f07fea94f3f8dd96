/** Conditional reads (RFC 9110, section 13.1): the client has an answer and asks whether it still holds. */
import { tagsOf } from '../../commands/preconditions.ts'
import type { ApiResponse } from '../../domain/kernel/route.ts'

const OPAQUE_TAG = /"[^"]*"/g

/**
 * Whether an answer is one that the client has. Tags are compared weakly, as `If-None-Match` demands: `W/"3"` is `"3"`;
 * `*` is met by whatever is there, also by an answer without a tag. To tags, an answer in which personal data cannot be
 * read is always sent, so that no client keeps what was erased, and one of what can be spent, which changes with the
 * day and not with the thing.
 */
export function isNotModified(ifNoneMatch: string | undefined, { data, headers }: ApiResponse): boolean {
  const tag = headers?.ETag
  if (ifNoneMatch?.trim() === '*') return true
  if (ifNoneMatch === undefined || tag === undefined || isClosed(data) || isDaily(data)) return false
  return [...ifNoneMatch.matchAll(OPAQUE_TAG)].some(([known]) => known === tag)
}

/**
 * Whether a read may be answered by what `If-Match` asks: that the thing exists (`*`), or is still at one of these
 * revisions, compared strongly (13.1.1), so that a weak tag is never met. An answer without a revision meets no tag.
 * Throws `invalid_parameter` for what is no entity tag, as commands do.
 */
export function isMatch(ifMatch: string | undefined, { headers }: ApiResponse): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true
  return tagsOf(ifMatch).some(tag => tag === headers?.ETag)
}

const isClosed = (data: unknown) =>
  typeof data === 'object' && data !== null && ('erased' in data || 'personal_key_missing' in data)

const isDaily = (data: unknown): boolean =>
  Array.isArray(data) ? isDaily(data[0]) : typeof data === 'object' && data !== null && 'available' in data
