import { taskProcess } from '../../../commands/processes/center/task-parts.ts'
import { processSpec } from '../../support/process-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const ENTRY = '00000000-0000-5000-8000-000000000001'
const created = { type: 'TaskCreated', data: { name: 'Write', status: 'open', project: 'menu' } }
const work = { minutes: 90, rate: 6000n, currency: 'EUR' }
const logged = { type: 'TimeLogged', data: { entry: ENTRY, user: 'user-1', workedOn: '2026-01-30', ...work } }
const posted = {
  account: 'fees',
  counterparty: 'external:work',
  amount: 9000n,
  currency: 'EUR',
  description: '90 minutes',
}
const asked = { entry: ENTRY, wallet: 'studio', kind: 'credit', ...posted }

describe('the process of tasks', () => {
  const { given } = processSpec(taskProcess)
  const requested = (more: object) =>
    given(created, logged).when({ type: 'TimePostingRequested', data: { ...asked, ...more } })
  const refusal = (code: string, ...fields: string[]) => ({
    code,
    message: 'No.',
    details: fields.map(field => ({ field, message: 'x' })),
  })
  const refused = (code: string) => ['task.refusePosting', CONTEXT.id, { entry: ENTRY, code, reason: 'No.' }] as const

  it('posts what time costs, and notes how that ended', () => {
    const when = requested({ project: 'menu' })
    when.then(
      ['wallet.credit', 'studio', { ...posted, project: 'menu' }],
      ['task.recordPosting', CONTEXT.id, { entry: ENTRY }],
    )
    when.refused(0, refusal('account_closed')).then(refused('account_closed'))
    when.refused(0, refusal('reference_removed', 'wallet')).then(refused('reference_removed'))
  })

  it('asks again without a project that was removed', () => {
    requested({ project: 'menu' })
      .refused(0, refusal('reference_removed', 'project'))
      .then(['task.askPostingAgain', CONTEXT.id, asked])
    requested({}).then(['wallet.credit', 'studio', posted], ['task.recordPosting', CONTEXT.id, { entry: ENTRY }])
  })
})
