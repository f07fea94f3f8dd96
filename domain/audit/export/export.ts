import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { canonicalJson } from '../../kernel/json.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { mention, said } from '../../record/said.ts'
import { commands, events, rejections } from './messages.ts'

/** Exports of an org that may be under way at a time. */
export const RUNNING_MAX = 3
/** Disclosures of an export: its row has all of them. */
export const DISCLOSURES_MAX = 100

type Selection = Extract<EventOf<typeof events>, { type: 'ExportRequested' }>['data']['selection']
type Standing = {
  readonly stage: 'running' | 'completed' | 'failed' | 'removed'
  readonly disclosures: readonly string[]
  /** While it is running: what is known of those that ended must stay small. */
  readonly selection?: Selection | undefined
}

/** The exports of an org, each with how far it is, and how many are under way. */
export type Exports = {
  readonly status: 'kept'
  readonly exports: Keyed<Standing>
  readonly running: number
}

const evolve: Evolve<Exports, typeof events> = {
  ExportRequested: ({ status, exports, running }, { export: name, selection }) => ({
    status,
    exports: withMember<Standing>(exports, name, { stage: 'running', disclosures: [], selection }),
    running: running + 1,
  }),
  ExportProgressed: state => state,
  ExportCompleted: (state, { export: name }) => ended(state, name, 'completed'),
  ExportFailed: (state, { export: name }) => ended(state, name, 'failed'),
  ExportRemoved: (state, { export: name }) => ended(state, name, 'removed'),
  SealedFieldsDisclosed({ status, exports, running }, { export: name, disclosure }) {
    const standing = memberOf(exports, name)!
    const disclosures = [...standing.disclosures, disclosure]
    return { status, exports: withMember<Standing>(exports, name, { ...standing, disclosures }), running }
  },
}

const decide: Decide<Exports, typeof commands, typeof events> = {
  request({ exports, running }, { export: named, ...selection }, { newId }) {
    const name = named ?? newId(0)
    const { from, to, from_position: first, up_to_position: last } = selection
    const isWhole = Object.values(selection).every(part => part === undefined)
    const before = memberOf(exports, name)
    if (before) {
      const isSame = before.stage === 'running' && canonicalJson(before.selection ?? {}) === canonicalJson(selection)
      if (isSame) return []
      throw rejected('export_exists', 'There is or was an export of this id: name another.')
    }
    if (from !== undefined && to !== undefined && from >= to) {
      throw rejected('export_period_empty', 'No event is at or after `from` and before `to`.', { from, to })
    }
    if (first !== undefined && last !== undefined && first > last) {
      const why = 'No event is at or after `from_position` and not behind `up_to_position`.'
      throw rejected('export_period_empty', why, { from_position: first, up_to_position: last })
    }
    if (running >= RUNNING_MAX) {
      throw rejected('exports_running', 'As many exports as may be are under way: wait for one, or remove it.', {
        running,
      })
    }
    return [{ type: 'ExportRequested', data: { export: name, ...(!isWhole && { selection }) } }]
  },
  progress: (state, data) => (isRunning(state, data) ? [{ type: 'ExportProgressed', data }] : []),
  complete: (state, data) => (isRunning(state, data) ? [{ type: 'ExportCompleted', data }] : []),
  fail: (state, data) => (isRunning(state, data) ? [{ type: 'ExportFailed', data }] : []),
  remove({ exports }, { export: name }) {
    const standing = memberOf(exports, name)
    if (!standing) throw rejected('export_unknown', 'There is no such export.', { export: name })
    if (standing.stage === 'removed') return []
    return [{ type: 'ExportRemoved', data: { export: name } }]
  },
  disclose({ exports }, { disclosure: named, ...rest }, { newId }) {
    const standing = memberOf(exports, rest.export)
    const disclosure = named ?? newId(0)
    if (!standing) throw rejected('export_unknown', 'There is no such export.', { export: rest.export })
    if (standing.stage !== 'completed') {
      throw rejected('export_not_completed', 'Only an export that is completed has fields to open.')
    }
    if (standing.disclosures.includes(disclosure)) {
      throw rejected('disclosure_exists', 'There is a disclosure of this id: name another.', { disclosure })
    }
    if (standing.disclosures.length >= DISCLOSURES_MAX) {
      throw rejected('disclosures_too_many', 'The export has as many disclosures as one may have: order another.', {
        disclosures: DISCLOSURES_MAX,
      })
    }
    return [{ type: 'SealedFieldsDisclosed', data: { ...rest, disclosure } }]
  },
}

/**
 * The exports of an org that auditors ordered. All stand in one stream, so that no more than a few are under way at a
 * time. The id of one is never used again.
 */
export const auditExport = aggregate({
  name: 'export',
  only: 'exports',
  events,
  commands,
  api: {
    request: [
      'POST /audit/exports',
      'exports.write',
      'Order an export of the events of the organization, or of those that are selected: a worker makes it.',
      '/audit/exports/:export',
    ],
    progress: 'internal',
    complete: 'internal',
    fail: 'internal',
    remove: [
      'DELETE /audit/exports/:export',
      'exports.write',
      'Remove an export; one that is under way is ended. What was disclosed of it stays in the audit log.',
    ],
    disclose: [
      'POST /audit/exports/:export/disclosures',
      'disclosures.write',
      'Open the sealed fields in an export for a recipient: who, for whom, why and on which legal basis is recorded.',
    ],
  },
  rejections,
  initial: { status: 'kept', exports: noneKeyed, running: 0 } as Exports,
  evolve,
  decide,
  stateSchema: 2,
  activity: {
    on: {
      ExportRequested: ({ export: name }) => said`ordered the audit export ${mention('export', name)}`,
      ExportProgressed: ({ export: name, events }) =>
        said`exported ${String(events)} events to the audit export ${mention('export', name)}`,
      ExportCompleted: ({ export: name }) => said`completed the audit export ${mention('export', name)}`,
      ExportFailed: ({ export: name }) => said`ended the audit export ${mention('export', name)}, which failed`,
      ExportRemoved: ({ export: name }) => said`removed the audit export ${mention('export', name)}`,
      SealedFieldsDisclosed: ({ export: name, recipient }) =>
        said`opened the sealed fields of the audit export ${mention('export', name)} for ${recipient}`,
    },
  },
})

const isRunning = ({ exports }: Exports, { export: name }: { readonly export: string }) =>
  memberOf(exports, name)?.stage === 'running'

function ended({ status, exports, running }: Exports, name: string, stage: Standing['stage']): Exports {
  const standing = memberOf(exports, name)!
  return {
    status,
    exports: withMember<Standing>(exports, name, {
      stage,
      disclosures: stage === 'removed' ? [] : standing.disclosures,
    }),
    running: standing.stage === 'running' ? running - 1 : running,
  }
}
