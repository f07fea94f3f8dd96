/** Holds the contributions to a campaign, and collects or returns them when it has ended. */
import { campaign } from '../../../domain/wallet/campaign/campaign.ts'
import { events } from '../../../domain/wallet/campaign/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { process, type Refusal, type Step, step } from '../process.ts'

type Source = { readonly contribution: string; readonly from: string }

export const campaignProcess = process({
  name: 'campaign',
  of: { campaign: events },
  on: {
    CampaignOpened: ({ data: { wallet: to, account, currency }, metadata: { id } }) => [
      step(wallet, 'expectAccount', to, { account, currency }, refusal =>
        step(campaign, 'refuseAccount', id, reasonOf(refusal)),
      ),
    ],
    CampaignAccountRefused: null,
    ContributionPledged({ data, stream, metadata: { id } }) {
      const { contribution, from, fromAccount: account, currency, places, amount } = data
      const held = {
        hold: holdOf(stream, contribution),
        account,
        currency,
        places,
        amount,
        description: `campaign ${id}`,
      }
      const refused = (refusal: Refusal) => step(campaign, 'refuse', id, { contribution, ...reasonOf(refusal) })
      return [step(wallet, 'hold', from, held, refused), step(campaign, 'recordHold', id, { contribution })]
    },
    ContributionHeld: null,
    ContributionHeldInVain: ({ data, stream }) => [release(stream, data)],
    ContributionRefused: null,
    ContributionWithdrawn: ({ data, stream }) => [release(stream, data)],
    CampaignEnded: null,
    ContributionsDue({ data, stream, metadata: { id } }): readonly Step[] {
      const { batch, collect, wallet: to, account, currency, places, total: amount, contributions } = data
      const done = step(campaign, 'settle', id, { batch })
      if (collect === 'returned') return [...contributions.map(each => release(stream, each)), done]
      const counterparty = `external:campaign:${id}`
      const credited = { account, currency, places, amount, counterparty, description: `campaign ${id}, part ${batch}` }
      const refused = (refusal: Refusal) => step(campaign, 'refuseCollection', id, { batch, ...reasonOf(refusal) })
      return [
        step(wallet, 'credit', to, credited, refused),
        ...contributions.map(each =>
          step(wallet, 'capture', each.from, { hold: holdOf(stream, each.contribution), counterparty }),
        ),
        done,
      ]
    },
    ContributionsSettled: null,
    CollectionRefused: null,
    CampaignSettled: null,
  },
})

const reasonOf = ({ code, message }: Refusal) => ({ code: code.slice(0, 64), reason: message.slice(0, 1000) })

/** Only processes make and end holds of such names. */
const holdOf = (stream: string, contribution: string): string => `process:${stream}:${contribution}`

const release = (stream: string, { contribution, from }: Source): Step =>
  step(wallet, 'release', from, { hold: holdOf(stream, contribution), reason: 'the contribution was returned' })
