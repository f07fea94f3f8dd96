import { ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** What a wallet, or one account of it, is for: the project, item or task whose money it holds. */
export const messages = recordMessages({
  one: 'account link',
  many: 'accountlinks',
  fields: {
    wallet: ref('wallet'),
    account: text(255).meta({ description: 'an account of the wallet; the whole wallet, if left out' }).optional(),
    project: ref('project').optional(),
    item: ref('item').optional(),
    task: ref('task').optional(),
    purpose: text(255).meta({ description: 'what the link means: budget, payouts, deposit' }).optional(),
  },
  example: { wallet: 'studio', account: 'checking', purpose: 'budget' },
})
