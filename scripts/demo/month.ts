/** A made-up month of a freelancer: what she sends to Kogi, in the order in which it happened. */
export type Step = {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object
}

const wallet = '/kwlt/wallets/studio'
const post = (path: string, body?: object): Step => ({ method: 'POST', path, ...(body && { body }) })
const put = (path: string, body: object): Step => ({ method: 'PUT', path, body })

const credit = (on: string, amount: string, counterparty: string, description: string, account = 'checking') =>
  post(`${wallet}/credits`, { account, currency: 'EUR', amount, counterparty, effective_on: on, description })
const debit = (on: string, amount: string, counterparty: string, description: string, account = 'checking') =>
  post(`${wallet}/debits`, { account, currency: 'EUR', amount, counterparty, effective_on: on, description })

const move = (on: string, amount: string, from: string, to: string, description: string) =>
  post(`${wallet}/entries`, {
    postings: [
      { account: from, currency: 'EUR', amount: `-${amount}` },
      { account: to, currency: 'EUR', amount },
    ],
    effective_on: on,
    description,
  })

export const month: readonly Step[] = [
  post('/kwlt/wallets', { id: 'studio', owner: 'mira', holder: 'Mira Okonjo', kind: 'business' }),
  post(`${wallet}/accounts`, { account: 'checking', currency: 'EUR', overdraft: 'refused' }),
  post(`${wallet}/accounts`, { account: 'taxes', currency: 'EUR', overdraft: 'refused' }),
  post(`${wallet}/accounts`, { account: 'card', currency: 'EUR', overdraft: 'allowed' }),
  post(`${wallet}/accounts`, { account: 'checking', currency: 'USD', overdraft: 'refused' }),
  credit('2026-03-01', '412350', 'external:opening', 'Opening balance'),
  post('/kbfc/items', {
    id: 'harbour-atlas',
    type: 'project',
    name: 'Harbour Atlas',
    description: 'Illustrated maps for the harbour museum',
    metadata: { client: 'Harbour Museum', pages: 24 },
  }),
  post('/kbfc/items', { id: 'type-specimen', type: 'asset', name: 'Grotesk type specimen' }),
  post('/kbfc/items', { id: 'old-website', type: 'app', name: 'Portfolio website of 2021' }),
  put('/kbfc/items/harbour-atlas/status', { status: 'active' }),
  post('/kctr/projects', { id: 'harbour-atlas', name: 'Harbour Atlas', ends_on: '2026-06-30' }),
  post('/kctr/tasks', {
    id: 'atlas-sketches',
    name: 'Sketch the six double pages',
    project: 'harbour-atlas',
    assignee: 'mira',
    priority: 'high',
    due_on: '2026-03-09',
  }),
  post('/kctr/tasks', {
    id: 'atlas-invoice',
    name: 'Invoice the first half',
    project: 'harbour-atlas',
    team: 'office',
  }),
  post('/kctr/tasks', { id: 'tax-return', name: 'File the yearly tax return', team: 'office', due_on: '2026-03-31' }),
  debit('2026-03-02', '65000', 'external:rent', 'Studio rent for March'),
  debit('2026-03-03', '1299', 'external:software', 'Drawing software', 'card'),
  put('/kctr/tasks/atlas-sketches/status', { status: 'in progress' }),
  credit('2026-03-06', '180000', 'external:client:harbour-museum', 'Deposit for the Harbour Atlas'),
  move('2026-03-06', '54000', 'checking', 'taxes', 'Thirty per cent aside for taxes'),
  debit('2026-03-10', '23480', 'external:travel', 'Train to the museum and back', 'card'),
  post('/kctr/tasks/atlas-sketches/complete'),
  put('/kctr/tasks/atlas-invoice/assignee', { assignee: 'jonas' }),
  put('/kctr/tasks/atlas-invoice/status', { status: 'sent' }),
  post(`${wallet}/credits`, {
    account: 'checking',
    currency: 'USD',
    amount: '120000',
    counterparty: 'external:client:bay-press',
    effective_on: '2026-03-17',
    description: 'Licence of the type specimen',
  }),
  { method: 'PATCH', path: '/kbfc/items/type-specimen', body: { description: 'Licensed to Bay Press for two years' } },
  credit('2026-03-20', '240000', 'external:client:harbour-museum', 'First half of the Harbour Atlas'),
  move('2026-03-20', '72000', 'checking', 'taxes', 'Thirty per cent aside for taxes'),
  post('/kctr/tasks/atlas-invoice/complete'),
  move('2026-03-25', '24779', 'checking', 'card', 'Pay the card'),
  { method: 'DELETE', path: '/kbfc/items/old-website', body: { reason: 'Replaced' } },
  debit('2026-03-28', '9950', 'external:insurance', 'Liability insurance'),
  put('/kctr/tasks/tax-return/team', { team: 'accountant', reason: 'They have the receipts' }),
  { method: 'PATCH', path: '/kctr/tasks/tax-return', body: { due_on: '2026-05-31', reason: 'Extended by the office' } },
]

/** What the rules must refuse, with the code that says why. */
export const refused: readonly (Step & { readonly code: string })[] = [
  { ...debit('2026-03-30', '99999999', 'external:studio', 'A building', 'taxes'), code: 'insufficient_funds' },
  { ...post('/kctr/tasks', { id: 'tax-return', name: 'Again' }), code: 'task_already_created' },
  { ...post('/kctr/tasks', { name: 'Print it', project: 'harbour-atlass' }), code: 'reference_unknown' },
]
