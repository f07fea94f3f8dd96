import { expect } from 'chai'
import { CATEGORIES } from '../../../domain/audit/export/categories.ts'
import { auditExport, DISCLOSURES_MAX, RUNNING_MAX } from '../../../domain/audit/export/export.ts'
import { aggregates } from '../../../infra/catalogue.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(auditExport)
const requested = (name: string, more: object = {}) =>
  ({ type: 'ExportRequested', data: { export: name, ...more } }) as const
const done = { events: 3, bytes: 900n, sha256: 'a'.repeat(64), head: 77n }
const completed = (name: string) => ({ type: 'ExportCompleted', data: { export: name, ...done } }) as const
const failed = (name: string) =>
  ({ type: 'ExportFailed', data: { export: name, code: 'org_empty', reason: 'Nothing.' } }) as const
const removed = (name: string) => ({ type: 'ExportRemoved', data: { export: name } }) as const
const why = { recipient: 'Ada Stern', basis: 'legal_obligation', reason: 'Order 7.' } as const
const disclosed = (name: string, disclosure: string) =>
  ({ type: 'SealedFieldsDisclosed', data: { export: name, disclosure, ...why } }) as const

const AT = '2026-01-01T00:00:00.000Z'

describe('audit exports', () => {
  it('name every kind of thing: a new aggregate is a line in domain/audit/export/categories.ts', () => {
    expect([...CATEGORIES]).to.deep.equal(aggregates.map(({ name }) => name).sort())
  })

  it('are ordered with or without a selection, each id once', () => {
    given().when('request', { export: 'a' }).then(requested('a'))
    const selection = { categories: ['wallet' as const], from: '2026-01-01T00:00:00.000Z' }
    given(requested('a'))
      .when('request', { export: 'b', ...selection })
      .then(requested('b', { selection }))
    given(requested('a')).when('request', { export: 'a' }).changesNothing()
    given(requested('b', { selection }))
      .when('request', { export: 'b', ...selection })
      .changesNothing()
    given(requested('a'))
      .when('request', { export: 'a', ...selection })
      .rejects('export_exists')
    for (const end of [completed('a'), failed('a'), removed('a')]) {
      given(requested('a'), end).when('request', { export: 'a' }).rejects('export_exists')
    }
    const day = '2026-01-01T00:00:00.000Z'
    given().when('request', { from: day, to: day }).rejects('export_period_empty')
    given().when('request', { from_position: 9n, up_to_position: 8n }).rejects('export_period_empty')
  })

  it('are not called as a path of their list', () => {
    expect(auditExport.commands.request.safeParse({ export: 'summary' }).success).to.equal(false)
    expect(auditExport.commands.request.safeParse({ export: 'summary 2026' }).success).to.equal(true)
  })

  it('are a few at a time', () => {
    const some = Array.from({ length: RUNNING_MAX }, (_, n) => requested(`e${n}`))
    given(...some)
      .when('request', { export: 'x' })
      .rejects('exports_running')
    for (const end of [completed('e0'), failed('e0'), removed('e0')]) {
      given(...some, end)
        .when('request', { export: 'x' })
        .then(requested('x'))
    }
    given(...some, failed('e0'), removed('e0'), requested('e3'))
      .when('request', { export: 'x' })
      .rejects('exports_running')
  })

  it('end once', () => {
    given(requested('a'))
      .when('complete', { export: 'a', ...done })
      .then(completed('a'))
    for (const end of [completed('a'), failed('a'), removed('a')]) {
      given(requested('a'), end)
        .when('complete', { export: 'a', ...done })
        .changesNothing()
      given(requested('a'), end).when('progress', { export: 'a', events: 1, position: 5n, head: 9n }).changesNothing()
      given(requested('a'), end).when('fail', { export: 'a', code: 'c', reason: 'r' }).changesNothing()
    }
    given(requested('a'), removed('a')).when('remove', { export: 'a' }).changesNothing()
    given().when('remove', { export: 'a' }).rejects('export_unknown')
  })

  it('are opened for a recipient once they are completed, on a basis that is recorded', () => {
    const open = { export: 'a', disclosure: 'd', ...why }
    given(requested('a'), completed('a')).when('disclose', open).then(disclosed('a', 'd'))
    given(requested('a'), completed('a'), disclosed('a', 'd')).when('disclose', open).rejects('disclosure_exists')
    given(requested('a')).when('disclose', open).rejects('export_not_completed')
    given(requested('a'), completed('a'), removed('a')).when('disclose', open).rejects('export_not_completed')
    given().when('disclose', open).rejects('export_unknown')
    const many = Array.from({ length: DISCLOSURES_MAX }, (_, n) => disclosed('a', `d${n}`))
    given(requested('a'), completed('a'), ...many)
      .when('disclose', open)
      .rejects('disclosures_too_many')
  })

  it('leave their ids alone behind: what they were selected by and opened for is in the log', () => {
    const selection = { streams: Array.from({ length: 1_000 }, (_, n) => `task-${'x'.repeat(200)}${n}`) }
    const { evolve, initial } = auditExport
    const asked = evolve.ExportRequested(initial, requested('a', { selection }).data, AT)
    const ended = evolve.ExportCompleted(asked, completed('a').data, AT)
    const opened = evolve.SealedFieldsDisclosed(ended, disclosed('a', 'd').data, AT)
    for (const state of [evolve.ExportFailed(asked, failed('a').data, AT), opened]) {
      expect(JSON.stringify(evolve.ExportRemoved(state, removed('a').data, AT)).length).to.be.below(500)
      expect(JSON.stringify(state).length).to.be.below(500)
    }
  })
})
