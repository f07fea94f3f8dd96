import { auditLog } from '../../../projections/audit/audit-log.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'
import { book, second } from '../wallet/book.ts'

describe('rows: audit log', () => {
  const { given } = rowsFor(auditLog)
  const common = { org: CONTEXT.org, category: 'wallet', id: 'studio', actor: CONTEXT.actor, correlation_id: 'c' }

  it('notes every event: who, what, when, by which command', () =>
    given(...book).then(
      ...book.map(({ type }, n) => ({
        ...common,
        position: BigInt(100 + n),
        revision: BigInt(n),
        type,
        at: second(n),
        command_id: `00000000-0000-4000-8000-00000000000${n}`,
      })),
    ))

  it('keeps what each event says, and why', () =>
    given({ type: 'ItemArchived', data: { reason: 'sold' } }, { type: 'ItemArchived', data: {} }).then(
      { data: { reason: 'sold' }, reason: 'sold' },
      { data: {}, reason: undefined },
    ))
})
