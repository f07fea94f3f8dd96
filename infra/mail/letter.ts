/** What an e-mail about notifications says: the sentences that the activity feed has, and no more. */
import { noSignal } from '../../read-api/checkpoint-signal.ts'
import { openTo } from '../../read-api/hub/activity.ts'
import { type Happening, type Kind, sentencesOf } from '../../read-api/hub/sentences.ts'
import { keepMoments } from '../../read-api/moments.ts'
import type { Guards } from '../../read-api/readers.ts'
import { followVersions } from '../../read-api/versions.ts'
import type { Pool } from '../postgres.ts'
import { LISTED_MAX } from './rows.ts'

const SUBJECT_MAX = 150

export type LetterDeps = {
  readonly pool: Pool
  readonly kinds: ReadonlyMap<string, Kind>
  readonly allows: (principal: { readonly permissions: readonly string[] }, permission: string) => boolean
  readonly guards: Guards
}

type For = { readonly org: string; readonly user: string; readonly grants: readonly string[] }

/** Subject and text; `undefined` where there is nothing that the user may read. */
export type WriteLetter = (
  to: For,
  rows: readonly Record<string, unknown>[],
) => Promise<{ readonly subject: string; readonly text: string } | undefined>

export function letterWriter({ pool, kinds, allows, guards }: LetterDeps): WriteLetter {
  const store = { pool, signal: noSignal, versions: followVersions(pool), moments: keepMoments(pool), guards }
  return async ({ org, user, grants }, rows) => {
    const principal = { subject: user, org, roles: [], permissions: grants }
    const open = openTo({ kinds, allows }, principal)
    const told = rows.filter(({ category }) => open.has(String(category)))
    if (told.length === 0) return undefined
    const happenings = told.slice(0, LISTED_MAX).map(row => ({ ...row, id: row.thing }) as unknown as Happening)
    const reader = { principal, signal: new AbortController().signal }
    const sentences = await sentencesOf(store, reader, happenings, { kinds, open, wanted: {} })
    const lines = sentences.map((parts, n) => `${timeOf(told[n]!)}  ${parts.map(({ text }) => text).join('')}`)
    const more = told.length > LISTED_MAX ? ['There is more: the inbox has all of it.'] : []
    const single = sentences[0]!.map(({ text }) => text).join('')
    const count = more.length > 0 ? `more than ${LISTED_MAX}` : String(told.length)
    return {
      subject: told.length === 1 ? short(single) : `${count} notifications`,
      text: [...lines, ...more, '', footer(org)].join('\n'),
    }
  }
}

const timeOf = ({ at }: Record<string, unknown>) => String(at).slice(0, 16).replace('T', ' ')

/** One line, as the subject of a mail is. */
const short = (text: string): string => {
  const line = [...text.replace(/\s+/gu, ' ')]
  return line.length > SUBJECT_MAX ? `${line.slice(0, SUBJECT_MAX - 1).join('')}…` : line.join('')
}

const footer = (org: string) =>
  `You asked to be told of this in the organization ${org}. The preferences of your inbox say what is e-mailed.
Times are UTC.`
