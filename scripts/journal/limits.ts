/** Limits of a wallet, told in the words of the journal: what is beyond which limit, and what helps. */
import { EXTERNAL, NO_CURRENCIES, POSTINGS_MAX } from '../../domain/wallet/wallet/messages.ts'
import { ImportRefused, type Place } from './journal.ts'

const COMMODITY_MAX = 32
const ACCOUNT_MAX = 255
const WORDS_MAX = 1000
const DIGITS_MAX = 38

type Posting = { readonly account: string; readonly currency: string; readonly amount: bigint }

/** Refuses a commodity whose currency would have a name that no wallet can hold. */
export function checkCommodity(commodity: string, name: string, place: Place): void {
  const help = `Give it a name: --commodity '${commodity}=${shorter(commodity)}'.`
  if (lengthOf(name) > COMMODITY_MAX) {
    const what = `The commodity "${commodity}" has a name of ${lengthOf(name)} characters`
    throw refusal(`${what}; the limit is ${COMMODITY_MAX}. ${help}`, place)
  }
  if (NO_CURRENCIES.includes(name)) {
    throw refusal(
      `The commodity "${commodity}" has a name that a path takes, so that no account can be read. ${help}`,
      place,
    )
  }
  if (/^[^\s\p{C}]+$/u.test(name)) return
  const what = `The commodity "${visible(commodity)}" has characters that cannot be seen, which no currency has.`
  throw refusal(`${what} ${help}`, place)
}

/** Refuses an entry that no wallet can hold. */
export function checkEntry(postings: readonly Posting[], words: string, place: Place): void {
  if (postings.length > POSTINGS_MAX) {
    const what = `The transaction makes ${postings.length} postings; the limit of an entry is ${POSTINGS_MAX}.`
    throw refusal(`${what} Split it into several transactions.`, place)
  }
  checkText('The description', words, WORDS_MAX, 'Shorten it, or put the rest into a comment.', place)
  for (const { account, currency, amount } of postings) {
    const help = 'Shorten it with a directive at the top of the journal: alias LONG = SHORT.'
    checkText(`The account ${visible(account).slice(0, 60)}`, account, ACCOUNT_MAX, help, place)
    if (account === EXTERNAL) throw refusal(`The account "${EXTERNAL}" needs a name after the colon.`, place)
    const digits = String(amount).replace('-', '').length
    if (digits <= DIGITS_MAX) continue
    const what = `An amount in ${currency} has ${digits} digits in its smallest unit; the limit is ${DIGITS_MAX}.`
    throw refusal(`${what} Write it in a larger unit, or with fewer decimal places.`, place)
  }
}

function checkText(what: string, text: string, max: number, help: string, place: Place): void {
  if (lengthOf(text) > max)
    throw refusal(`${what} has ${lengthOf(text)} characters; the limit is ${max}. ${help}`, place)
  if (!/[\0\p{Cs}]/u.test(text)) return
  throw refusal(`${what} has a character that cannot be stored: U+0000, or half of a pair. Take it out.`, place)
}

const refusal = (message: string, place: Place) => new ImportRefused('invalid_entry', message, place)

const lengthOf = (text: string) => [...text].length

/** The capital letters and digits of a long name are often its usual short form. */
const shorter = (name: string) => name.replaceAll(/[^\p{Lu}\d]/gu, '').slice(0, 12) || 'SHORT'

const visible = (text: string) =>
  text.replaceAll(/\p{C}/gu, letter => `U+${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
