import { messages } from '../../domain/wallet/accountlink/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per link of a wallet or an account to something else. */
export const accountLinks = recordModel(messages, {
  service: 'wallet',
  filters: ['wallet', 'project', 'item', 'task'],
  groups: ['wallet', 'project', 'purpose'],
})
