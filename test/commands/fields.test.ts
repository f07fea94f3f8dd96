import { expect } from 'chai'
import { parseBody } from '../../commands/requests.ts'
import type { KogiError } from '../../domain/kernel/errors.ts'
import { commands } from '../../domain/wallet/wallet/messages.ts'

const detailsOf = (command: keyof typeof commands, body: unknown) => {
  try {
    parseBody(commands[command], body)
  } catch (error) {
    return (error as KogiError).details
  }
  return []
}

describe('a field of a body', () => {
  it('that is missing is called required, whatever its type is, at any depth', () => {
    const required = (...fields: string[]) => fields.map(field => ({ field, message: 'is required' }))
    expect(detailsOf('open', {})).to.deep.equal(required('kind'))
    expect(detailsOf('openAccount', { account: 'a' })).to.deep.equal(required('currency', 'overdraft'))
    const posting = { account: 'a', currency: 'EUR', amount: '1' }
    expect(detailsOf('post', { postings: [posting, { account: 'b' }] })).to.deep.equal(
      required('postings.1.currency', 'postings.1.amount'),
    )
  })

  it('that has a wrong form is told the form in words, not as a regular expression', () => {
    const amount = (value: string) => detailsOf('credit', { account: 'a', currency: 'EUR', amount: value })
    expect(amount('0')).to.deep.equal([
      { field: 'amount', message: 'must be minor units above zero, a text of 1 to 38 digits' },
    ])
    const expires = { account: 'a', currency: 'EUR', amount: '1', expires_at: 'tomorrow' }
    expect(detailsOf('hold', expires)[0]!.message).to.match(/^must be a UTC timestamp/)
  })

  it('that has another type than asked is told that alone, and not that it is short', () => {
    for (const postings of ['', 'a', 'ab', 7, true, {}]) {
      const details = detailsOf('post', { postings })
      expect(details.map(({ field }) => field)).to.deep.equal(['postings'])
      expect(details[0]!.message).to.include('must be a list')
    }
    expect(detailsOf('post', { postings: [] })[0]!.message).to.include('must have at least 2 items')
  })

  it('that is missing is another thing than a wrong value, and than a body that is no object', () => {
    const [wrong] = detailsOf('openAccount', { account: 'a', currency: 'EUR', overdraft: 'maybe' })
    expect(wrong).to.deep.include({ field: 'overdraft' }).and.not.deep.include({ message: 'is required' })
    expect(detailsOf('open', null)[0]).to.deep.include({ field: 'body' })
  })
})
