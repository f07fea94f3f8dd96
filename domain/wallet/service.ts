import { service } from '../kernel/service.ts'
import { accountLink } from './accountlink/accountlink.ts'
import { budget } from './budget/budget.ts'
import { campaign } from './campaign/campaign.ts'
import { bankImport } from './import/import.ts'
import { investment } from './investment/investment.ts'
import { paymentBatch } from './paymentbatch/paymentbatch.ts'
import { rateTable } from './ratetable/ratetable.ts'
import { reconciliation } from './reconciliation/reconciliation.ts'
import { standingOrder } from './standingorder/standingorder.ts'
import { transfer } from './transfer/transfer.ts'
import { wallet } from './wallet/wallet.ts'

export const walletService = service({
  code: 'kwlt',
  word: 'wallet',
  title: 'Wallet: accounts, entries, balances',
  aggregates: [
    wallet,
    transfer,
    standingOrder,
    paymentBatch,
    rateTable,
    investment,
    bankImport,
    accountLink,
    budget,
    campaign,
    reconciliation,
  ],
  roles: {
    'team-lead': [
      '*.read',
      'entries.write',
      'imports.write',
      'holds.write',
      'transfers.write',
      'transfers.approve',
      'campaigns.write',
      'contributions.write',
      'rates.write',
      'investments.write',
      'users.write',
      'accountlinks.write',
      'budgets.write',
      'reconciliations.write',
    ],
    'team-member': ['*.read', 'users.write'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
  adminOnly: ['wallets.write'],
})
