import { auditExports } from '../../../projections/audit/audit-exports.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const requested = { type: 'ExportRequested', data: { export: 'a', selection: { categories: ['wallet'] } } }
const progressed = { type: 'ExportProgressed', data: { export: 'a', events: 1, position: 5n, head: 9n } }
const completed = {
  type: 'ExportCompleted',
  data: { export: 'a', events: 3, leftOut: 2, bytes: 900n, sha256: 'b'.repeat(64), head: 9n },
}
const why = { disclosure: 'd', recipient: 'Ada Stern', basis: 'consent', reason: 'Asked for it.' }

describe('rows: audit exports', () => {
  const { given } = rowsFor(auditExports)

  it('say how far each is, what it holds, and for whom it was opened', async () => {
    await given(requested).then({ id: 'a', state: 'requested', requested_by: 'user-1', disclosures: [] })
    await given(requested, progressed).then({ id: 'a', state: 'running', events: 1, position: 5n, head: 9n })
    await given(requested, progressed, completed).then({ id: 'a', state: 'completed', events: 3, left_out: 2 })
    const failed = { type: 'ExportFailed', data: { export: 'a', code: 'org_empty', reason: 'Nothing.' } }
    await given(requested, failed).then({ id: 'a', state: 'failed', code: 'org_empty' })
    await given(requested, completed, { type: 'ExportRemoved', data: { export: 'a' } }).then()
    const disclosed = { type: 'SealedFieldsDisclosed', data: { export: 'a', ...why } }
    await given(requested, completed, disclosed).then({ id: 'a', state: 'completed', requested_by: 'user-1' })
  })
})
