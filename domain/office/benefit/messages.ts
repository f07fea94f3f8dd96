import { column, currency, date, object, ref, text, unsignedMinorUnits } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { personName } from '../../record/subject.ts'

const account = text(255).optional()
const brought = column(object({ org: text(64), on: date, amount: unsignedMinorUnits }), 'jsonb')
const taken = column(object({ org: text(64), on: date }), 'jsonb')

/**
 * What a member has of a plan. Contributions are what came into two accounts of a wallet, for one by a standing order:
 * what the member gives is theirs at once, what the employer gives by the vesting of the plan.
 */
export const messages = recordMessages({
  one: 'benefit',
  many: 'benefits',
  fields: {
    plan: ref('benefitplan'),
    member: personName,
    starts_on: date.meta({ description: 'from when the months of the vesting count' }),
    ends_on: date.optional().meta({ description: 'the last day that they count' }),
    currency,
    wallet: ref('wallet').optional(),
    own_account: account.meta({ description: 'the account that gets what the member gives' }),
    employer_account: account.meta({ description: 'the account that gets what the employer gives' }),
    standing_order: ref('standingorder').optional().meta({ description: 'by which the member gives' }),
    brought: brought.optional().meta({ description: 'what the member brought along from another organization' }),
    taken: taken.optional().meta({ description: 'where they took it along to' }),
  },
  example: {
    plan: 'benefitplan-1',
    member: 'mira',
    starts_on: '2026-01-01',
    currency: 'EUR',
    wallet: 'studio',
    own_account: 'savings',
    employer_account: 'checking',
  },
})
