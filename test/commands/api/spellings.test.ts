import { apiSpec } from '../../support/api-spec.ts'

const TASKS = '/kctr/tasks'
const taskCreated = { type: 'TaskCreated', data: { name: 'Brief', dueOn: '2026-04-01', status: 'open' } }

const walletOpened = { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } }
const accountOpened = {
  type: 'AccountOpened',
  data: { account: 'main', currency: 'EUR', places: 2, overdraft: 'allowed' },
}
const CREDITS = '/kwlt/wallets/thing-1/credits'
const credit = { account: 'main', currency: 'EUR', amount: '5', counterparty: 'external:client' }

describe('API: a field of two spellings', () => {
  const { given } = apiSpec()
  const key = { 'Idempotency-Key': 'k' }

  for (const spelling of ['due_on', 'dueOn']) {
    it(`takes ${spelling}`, () =>
      given()
        .when('POST', TASKS, { name: 'Brief', [spelling]: '2026-04-01' })
        .then(201, taskCreated))
  }
  for (const spelling of ['effective_on', 'effectiveOn']) {
    it(`takes ${spelling}`, () =>
      given(walletOpened, accountOpened, ['POST', CREDITS, { ...credit, [spelling]: '2026-02-28' }, key])
        .when('POST', CREDITS, { ...credit, effective_on: '2026-02-28' }, key)
        .then({ status: 201, data: { replayed: true } }))
  }
  it('refuses both at once', async () => {
    await given()
      .when('POST', TASKS, { name: 'Brief', due_on: '2026-04-01', dueOn: '2026-04-01' })
      .then({ status: 400, code: 'invalid_body', fields: ['dueOn'] })
    await given(walletOpened, accountOpened)
      .when('POST', CREDITS, { ...credit, effective_on: '2026-02-28', effectiveOn: '2026-02-28' })
      .then({ status: 400, code: 'invalid_body', fields: ['effectiveOn'] })
  })
  it('knows a command again under its key, however it is spelt', async () => {
    const [earlier, later] = [
      { name: 'Brief', dueOn: '2026-04-01' },
      { name: 'Brief', due_on: '2026-04-01' },
    ]
    for (const [first, second] of [
      [earlier, later],
      [later, earlier],
    ]) {
      await given(['POST', TASKS, first, key])
        .when('POST', TASKS, second, key)
        .then({ status: 201, data: { replayed: true } })
    }
    await given(['POST', TASKS, earlier, key])
      .when('POST', TASKS, { name: 'Brief', due_on: '2026-04-02' }, key)
      .then({ status: 422, code: 'idempotency_key_reused' })
  })
})
