/** What the system can show: each kind of evidence is a live query, about a period or about now. */
import { administration } from '../../domain/audit/administration.ts'
import { webhooks } from '../../projections/apps/webhooks.ts'
import { accessRequests } from '../../projections/audit/access-requests.ts'
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { consents } from '../../projections/audit/consents.ts'
import { erasures } from '../../projections/audit/erasures.ts'
import { legalHolds } from '../../projections/audit/legal-holds.ts'
import { retentionRules } from '../../projections/audit/retention-rules.ts'
import { itemShares } from '../../projections/briefcase/item-shares.ts'
import { apiKeys } from '../../projections/identity/api-keys.ts'
import { delegations } from '../../projections/identity/delegations.ts'
import { grants } from '../../projections/identity/grants.ts'
import { members } from '../../projections/identity/members.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { walletUsers } from '../../projections/wallet/wallet-users.ts'
import { LOOKED_AT_MAX, type ReadNotes } from '../audit/notes.ts'
import type { OperationDeps } from '../audit/operations.ts'
import { lastSealed, type ProofDeps } from '../audit/proofs.ts'
import type { RefusalDeps } from '../audit/refusals.ts'
import type { SensitiveReadDeps } from '../audit/sensitive-reads.ts'
import { checkpointsSql, type ReadStore, read } from '../consistency.ts'
import type { Reader } from '../hub/sentences.ts'
import { jsonRowsSql } from '../json-rows.ts'

export type EvidenceDeps = ReadStore & ProofDeps & RefusalDeps & SensitiveReadDeps & OperationDeps

/** Instants: `from` is in the period, `to` is not. */
export type Period = { readonly from: string; readonly to: string }
type Row = Readonly<Record<string, unknown>>
type Notes = ReadNotes<{ readonly number: bigint; readonly at?: string | undefined }>
/** Rows, and whether all that there are may be among them. */
type Found = { readonly rows: readonly Row[]; readonly complete: boolean }

/** Rows of one kind of evidence in one answer; where there are more it says so. */
export const ROWS_MAX = 2_000

type Rows = { readonly model: AnyProjection; readonly where: string; readonly columns?: readonly string[] }
type Source = { readonly what: string } & (
  | { readonly rows: readonly Rows[] }
  | { readonly notes: (deps: EvidenceDeps) => Notes }
  | { readonly live: (deps: EvidenceDeps, request: Reader) => Promise<readonly Row[]> }
)

const within = (column: string) => `t.${column} >= $3 and t.${column} < $4`
const ACT = ['position', 'at', 'actor', 'on_behalf_of', 'type', 'category', 'id', 'reason', 'data']
const acts = (types: readonly string[]): Rows => ({
  model: auditLog,
  where: `${within('at')} and t.type in (${types.map(type => `'${type}'`).join(', ')})`,
  columns: ACT,
})

const OPENED = `exists (select from jsonb_array_elements(t.disclosures) d
  where d->>'disclosed_at' >= $3 and d->>'disclosed_at' < $4)`

const SOURCES = {
  access_review: {
    what: 'who may get at what now: members and their roles, API keys, what is shared or lent, users of wallets',
    rows: [
      { model: members, where: `t.status <> 'removed'` },
      { model: apiKeys, where: `t.status = 'active'` },
      { model: grants, where: 'true' },
      { model: delegations, where: 'true' },
      { model: walletUsers, where: 'true' },
      { model: itemShares, where: 'true' },
    ],
  },
  rights: { what: 'changes of rights in the period', rows: [acts(administration.rights)] },
  administration: {
    what: 'changes of the rules of money and of ways out of the system in the period',
    rows: [acts([...administration.money, ...administration.ways_out])],
  },
  ways_out: { what: 'where events are sent to now', rows: [{ model: webhooks, where: 'true' }] },
  exports: {
    what: 'exports of the log that were ordered or opened in the period, for whom, and which were removed',
    rows: [
      { model: auditExports, where: `(${within('requested_at')} or ${OPENED})` },
      // A removed export has no row: the log alone says for whom it was opened.
      acts(['SealedFieldsDisclosed', 'ExportRemoved']),
    ],
  },
  erasures: {
    what: 'erasures that were ordered or done in the period',
    rows: [{ model: erasures, where: `((${within('erased_at')}) or (${within('completed_at')}))` }],
  },
  retention_rules: { what: 'for how long personal data is kept now', rows: [{ model: retentionRules, where: 'true' }] },
  legal_holds: {
    what: 'what is held now, or was placed or lifted in the period',
    rows: [
      {
        model: legalHolds,
        where: `(t.status = 'placed' or (${within('placed_at')}) or (${within('lifted_at')}))`,
      },
    ],
  },
  consents: {
    what: 'consents that hold now, or were given or ended in the period',
    rows: [{ model: consents, where: `(t.status = 'given' or (${within('given_at')}) or (${within('ended_at')}))` }],
  },
  access_requests: {
    what: 'requests of persons that are open now, or were received or ended in the period',
    rows: [
      {
        model: accessRequests,
        where: `(t.ended_at is null or (${within('ended_at')}) or (${within('received_on')}))`,
      },
    ],
  },
  refusals: {
    what: 'commands that the rules refused in the period, as far as they were noted',
    notes: deps => deps.refusals,
  },
  sensitive_reads: { what: 'reads of sensitive data in the period', notes: deps => deps.sensitiveReads },
  operations: {
    what: 'backups made and restored, and rotations of keys, of the whole installation in the period',
    notes: deps => deps.operations,
  },
  sealing: { what: 'how much of the log is sealed now, and how many events are not yet', live: sealing },
} as const satisfies Readonly<Record<string, Source>>

export type EvidenceName = keyof typeof SOURCES
export const EVIDENCE = Object.keys(SOURCES) as readonly EvidenceName[]

export type Evidence = {
  readonly name: EvidenceName
  readonly what: string
  /** Whether these are all rows. */
  readonly complete: boolean
  readonly rows: readonly Row[]
}

/** The evidence of some names, and the position that it is of. Names of queries are in the rows of several models. */
export async function evidenceOf(
  deps: EvidenceDeps,
  request: Reader,
  names: readonly EvidenceName[],
  period: Period,
): Promise<{ readonly position: bigint; readonly evidence: readonly Evidence[] }> {
  const asked = names.map(name => ({ name, source: SOURCES[name] as Source }))
  const parts = asked.flatMap(({ name, source }) =>
    'rows' in source ? source.rows.map(part => ({ ...part, kind: name })) : [],
  )
  const of = [...new Set([auditLog, ...parts.map(({ model }) => model)])]
  const sql = parts.map(({ where, ...part }) =>
    jsonRowsSql({ ...part, where: `t.org = $2 and ${where}`, limit: ROWS_MAX + 1 }),
  )
  const none = 'select null::text as kind, null::jsonb as row'
  const text = `select c.position, c.stalled, r.kind, r.row, $2::text, $3::text, $4::text from ${checkpointsSql(of)}
    left join (${sql.length > 0 ? sql.join(' union all ') : none}) r on true`
  const values = [request.principal.org, period.from, period.to]
  const { rows, position } = await read(deps, request, { of, text, values }, {})
  const evidence: Evidence[] = []
  for (const { name, source } of asked) {
    const found: Found =
      'rows' in source
        ? { rows: rows.filter(([, , kind]) => kind === name).map(([, , , row]) => row as Row), complete: true }
        : 'notes' in source
          ? await notesOf(source.notes(deps), request, period)
          : { rows: await source.live(deps, request), complete: true }
    const complete = found.complete && found.rows.length <= ROWS_MAX
    evidence.push({ name, what: source.what, complete, rows: found.rows.slice(0, ROWS_MAX) })
  }
  return { position, evidence }
}

const PAGE = 500

/**
 * Notes of a period, the latest first; one row too many where there are more than an answer has. It is not complete
 * where the latest `LOOKED_AT_MAX` notes do not reach back to the beginning of the period.
 */
export async function notesOf(
  notes: Notes,
  { principal: { org }, signal }: Pick<Reader, 'principal' | 'signal'>,
  { from, to }: Period,
): Promise<Found> {
  const found: Row[] = []
  let next: bigint | undefined
  for (let seen = 0; found.length <= ROWS_MAX && seen < LOOKED_AT_MAX; ) {
    signal.throwIfAborted()
    const page = await notes(org, PAGE, next)
    seen += page.length
    // Notes of earlier versions have no time: they are older than any that has one.
    for (const { number, ...note } of page) {
      if (note.at !== undefined && note.at >= from && note.at < to) found.push({ number: String(number), ...note })
    }
    const last = page.at(-1)
    if (!last || last.number === 0n || last.at === undefined || last.at < from) return { rows: found, complete: true }
    next = last.number - 1n
  }
  return { rows: found, complete: false }
}

async function sealing(deps: EvidenceDeps, request: Reader): Promise<readonly Row[]> {
  const { org } = request.principal
  const { size, position } = await lastSealed(deps, org)
  const text = `select c.position, c.stalled, e.* from ${checkpointsSql([auditLog])}, (
    select count(*), count(*) filter (where position > $3) from ${quoted(tableOf(auditLog))} where org = $2) e`
  const { rows } = await read(deps, request, { of: [auditLog], text, values: [org, String(position ?? 0n)] }, {})
  const [, , events, later] = rows[0]!
  return [{ events: Number(events), sealed: size, ...(position !== undefined && { not_yet_sealed: Number(later) }) }]
}
