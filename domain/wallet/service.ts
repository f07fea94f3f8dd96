import { service } from '../kernel/service.ts'
import { wallet } from './wallet/wallet.ts'

export const walletService = service({
  code: 'kwlt',
  word: 'wallet',
  title: 'Wallet: accounts, entries, balances',
  aggregates: [wallet],
  roles: {
    'team-lead': ['*.read', 'entries.write', 'holds.write'],
    'team-member': ['*.read'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
  adminOnly: ['wallets.write'],
})
