import type { Activity, Phrase } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { said, THING } from '../../record/said.ts'
import { EXTERNAL, type events } from './messages.ts'

type Amount = { readonly amount: bigint; readonly currency: string; readonly places?: number | undefined }
type Entry = {
  readonly postings: readonly (Amount & { readonly account: string })[]
  readonly reverses?: string | undefined
  readonly conversion?: object | undefined
}
const money = ({ amount, currency, places }: Amount) => moneyText(amount < 0n ? -amount : amount, currency, places)

export const activity: Activity<typeof events> = {
  on: {
    WalletOpened: ({ kind }) => said`opened the ${kind} wallet ${THING}`,
    AccountOpened: ({ account, currency }) => said`opened the account ${account} (${currency}) in the wallet ${THING}`,
    EntryPosted: entry,
    FundsHeld: data => said`held ${money(data)} in ${data.account} of the wallet ${THING}`,
    HoldCaptured: data => said`captured ${money(data)}, held in ${data.account} of the wallet ${THING}`,
    HoldReleased: data => said`released ${money(data)}, held in ${data.account} of the wallet ${THING}`,
    WalletChanged: said`changed the holder of the wallet ${THING}`,
    AccountOverdraftChanged: ({ account, currency, to }) =>
      said`set the overdraft of ${account} (${currency}) in the wallet ${THING} to ${to}`,
    AccountChanged: ({ account, currency }) =>
      said`changed the terms of the account ${account} (${currency}) in the wallet ${THING}`,
    AccountFrozen: ({ account, currency }) => said`froze the account ${account} (${currency}) in the wallet ${THING}`,
    AccountUnfrozen: ({ account, currency }) =>
      said`unfroze the account ${account} (${currency}) in the wallet ${THING}`,
    AccountClosed: ({ account, currency }) => said`closed the account ${account} (${currency}) in the wallet ${THING}`,
    AccountReopened: ({ account, currency }) =>
      said`reopened the account ${account} (${currency}) in the wallet ${THING}`,
    ChartSet: ({ version }) => said`set version ${String(version)} of the chart of accounts of the wallet ${THING}`,
    TransferRulesSet: said`set what may be sent out of the wallet ${THING}, and what a second person approves`,
    AccessGranted: ({ user, right }) => said`granted ${user} the right to ${right} in the wallet ${THING}`,
    AccessRevoked: ({ user }) => said`removed ${user} from the users of the wallet ${THING}`,
    WalletFrozen: said`froze the wallet ${THING}`,
    WalletUnfrozen: said`unfroze the wallet ${THING}`,
    WalletClosed: said`closed the wallet ${THING}`,
  },
}

/** An entry with one posting into and one out of an account says both; a larger one says how large it is. */
function entry({ postings, reverses, conversion }: Entry): Phrase {
  const [given, taken] = postings
  if (conversion && given && taken) return said`converted ${money(given)} into ${money(taken)} in the wallet ${THING}`
  const [into, out] = [postings.find(({ amount }) => amount > 0n), postings.find(({ amount }) => amount < 0n)]
  if (postings.length > 2 || !into || !out) {
    return said`posted an entry of ${String(postings.length)} postings in the wallet ${THING}`
  }
  const done = reverses === undefined ? 'moved' : 'moved back'
  return said`${done} ${money(into)} from ${placeOf(out.account)} to ${placeOf(into.account)} in the wallet ${THING}`
}

const placeOf = (account: string): string =>
  account.startsWith(EXTERNAL) ? `${account.slice(EXTERNAL.length)} (outside)` : account
