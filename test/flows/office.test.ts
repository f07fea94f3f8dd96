import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const CARDS = [
  'BEGIN:VCARD\nVERSION:3.0\nUID:ada\nFN:Ada Lovelace\nEMAIL;TYPE=work:ada@example.org\nX-SPIN:left\nEND:VCARD',
  'BEGIN:VCARD\nVERSION:4.0\nFN:A. Lovelace\nEMAIL:ADA@example.org\nTEL:+49 30 1234567\nEND:VCARD',
  'BEGIN:VCARD\nFN;nothing\nEND:VCARD',
].join('\n')
const WEEKLY = [
  'BEGIN:VCALENDAR',
  'BEGIN:VEVENT',
  'UID:weekly',
  'SUMMARY:Proofs',
  'DTSTART;TZID=Europe/Berlin:20260323T090000',
  'DTEND;TZID=Europe/Berlin:20260323T100000',
  'RRULE:FREQ=WEEKLY;COUNT=3',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'DTSTART:nonsense',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n')

describe('the office', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let eve: Client
  let lead: Client
  let last = '0'

  const sent = async (client: Client, method: string, path: string, body: object = {}, status = 201) => {
    const answer = await client.call(method, `/api/v1/koff${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    last = String(answer.headers['kogi-position'] ?? last)
    return answer.body?.data
  }
  const read = (client: Client, path: string) =>
    client.call('GET', `/api/v1/koff${path}`, { headers: { 'Kogi-Min-Position': last } })
  const textOf = (answer: { readonly text?: string; readonly body: unknown }) => String(answer.text ?? answer.body)

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('atlas', 'team-member', 'mira')
    lead = await app.clientOf('atlas', 'organization-admin', 'lead')
    eve = await app.clientOf('atlas', 'team-member', 'eve')
  })
  after(() => app?.close())

  it('takes a file of contacts, whose faults it names by line, and proposes duplicates', async () => {
    await sent(mira, 'POST', '/contact-books', { id: 'people', name: 'People' })
    const first = await sent(mira, 'POST', '/contact-books/people/vcards', { content: CARDS }, 200)
    expect(first).to.include({ created: 2, changed: 0 })
    expect(first.refused).to.deep.include({ line: 15, code: 'malformed', message: first.refused[0].message })
    const again = await sent(mira, 'POST', '/contact-books/people/vcards', { content: CARDS }, 200)
    expect(again).to.include({ created: 0, changed: 0 })
    const { body } = await read(mira, '/contact-books/people/duplicates')
    expect(body.data).to.have.length(1)
    const [{ first: one, second, merged }] = body.data
    expect(merged).to.include({ book: 'people', phones: '+49 30 1234567' })
    await sent(mira, 'PUT', `/contacts/${one}`, merged, 200)
    await sent(mira, 'DELETE', `/contacts/${second}`, undefined, 204)
    const { data } = (await read(mira, '/contacts?book=people')).body
    expect(data).to.have.length(1)
    expect(data[0].phones).to.equal('+49 30 1234567')
    const file = textOf(await read(mira, '/contact-books/people/vcards?version=3.0'))
    expect(file).to.include('ada@example.org').and.include('X-SPIN:left').and.include('VERSION:3.0')
  })

  it('shows what is personal to its owner and to whom it is shared with, and to nobody else', async () => {
    for (const path of ['/contact-books/people', '/contact-books/people/vcards']) {
      expect((await read(eve, path)).status, path).to.equal(404)
    }
    expect((await read(eve, '/contacts')).body.data).to.deep.equal([])
    await sent(eve, 'POST', '/contacts', { book: 'people', name: 'Eve' }, 422)
    await sent(mira, 'PATCH', '/contact-books/people', { shared_with: ['user eve'] }, 200)
    await sent(eve, 'POST', '/contacts', { book: 'people', name: 'Eve' })
    expect((await read(eve, '/contacts')).body.data).to.have.length(2)
  })

  it('expands events over a change of the clock, says what is busy and what collides', async () => {
    await sent(mira, 'POST', '/calendars', { id: 'prints', name: 'Prints', kind: 'team' })
    const { created, refused } = await sent(mira, 'POST', '/calendars/prints/ics', { content: WEEKLY }, 200)
    expect([created, refused.map(({ line }: { line: number }) => line)]).to.deep.equal([1, [10]])
    const body = { id: 'talk', calendar: 'prints', title: 'Talk', starts: '2026-03-30T07:30:00', zone: 'UTC' }
    const asked = { ends: '2026-03-30T09:00:00', attendees: [{ user: 'eve' }], kind: 'meeting' }
    await sent(mira, 'POST', '/calendar/event', { ...body, ...asked })
    await sent(eve, 'POST', '/calendar-events/talk/answer', { answer: 'tentative' }, 200)
    const window = 'from=2026-03-20T00:00:00.000Z&to=2026-04-20T00:00:00.000Z'
    const found = (await read(eve, `/occurrences?${window}`)).body.data
    expect(found.map((one: Record<string, string>) => [one.title, one.starts_at, one.answer ?? ''])).to.deep.equal([
      ['Proofs', '2026-03-23T08:00:00.000Z', ''],
      ['Proofs', '2026-03-30T07:00:00.000Z', ''],
      ['Talk', '2026-03-30T07:30:00.000Z', 'tentative'],
      ['Proofs', '2026-04-06T07:00:00.000Z', ''],
    ])
    expect((await read(eve, `/free-busy?${window}`)).body.data[1]).to.deep.equal({
      starts_at: '2026-03-30T07:00:00.000Z',
      ends_at: '2026-03-30T09:00:00.000Z',
    })
    const [{ first, second }] = (await read(eve, `/conflicts?${window}`)).body.data
    expect([first.title, second.title]).to.deep.equal(['Proofs', 'Talk'])
    expect((await read(eve, `/schedule?${window}`)).body.data).to.have.length(1)
    expect(textOf(await read(eve, '/calendars/prints/ics'))).to.include('RRULE:FREQ=WEEKLY;COUNT=3')
  })

  it('refuses to expand without an end', async () => {
    const wild = { calendar: 'prints', title: 'Ticks', starts: '2026-06-01T00:00:00', rule: 'FREQ=SECONDLY' }
    await sent(mira, 'POST', '/calendar-events', wild)
    const { status, body } = await read(mira, '/occurrences?from=2026-06-01T00:00:00.000Z&to=2026-07-01T00:00:00.000Z')
    expect([status, body.error.code]).to.deep.equal([400, 'invalid_parameter'])
  })

  it('says of a benefit what was given, how much is vested, and what may be taken along', async () => {
    const wallet = async (path: string, body: object) => {
      const answer = await lead.call('POST', `/api/v1/kwlt/wallets${path}`, { body })
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201)
      last = String(answer.headers['kogi-position'])
    }
    await wallet('', { id: 'fund', kind: 'business' })
    for (const [account, amount] of [
      ['mira', '30000'],
      ['firm', '48000'],
    ]) {
      const money = { account, currency: 'EUR', amount, effective_on: '2026-02-01' }
      await wallet('/fund/accounts', { account, currency: 'EUR', overdraft: 'refused' })
      await wallet('/fund/credits', money)
      await wallet('/fund/credits', { ...money, amount: '100', effective_on: '2028-01-01' })
    }
    const vesting = { cliff_months: 12, months: 48 }
    await sent(lead, 'POST', '/benefit-plans', { id: 'pension', name: 'Pension', kind: 'retirement', vesting })
    const accounts = { wallet: 'fund', own_account: 'mira', employer_account: 'firm' }
    const brought = { org: 'harbour', on: '2026-01-01', amount: '5000' }
    const whose = { id: 'hers', plan: 'pension', member: 'mira', starts_on: '2026-01-15', currency: 'EUR' }
    await sent(lead, 'POST', '/benefits', { ...whose, ...accounts, brought })
    const on = async (day: string) => {
      const { status, body } = await read(lead, `/benefits/hers/statement?day=${day}`)
      expect(status, JSON.stringify(body)).to.equal(200)
      return body.data
    }
    expect(await on('2027-01-14')).to.include({ months: 11, own: '35000', employer: '48000', vested: '0' })
    expect(await on('2027-01-15')).to.include({ months: 12, vested: '12000', theirs: '47000', portable: true })
    expect(await on('2025-12-31')).to.include({ months: 0, own: '5000', employer: '0', vested: '0' })
    expect(await on('2030-01-15')).to.include({ months: 48, own: '35100', employer: '48100', vested: '48100' })
  })

  it('answers the paths of the platform', async () => {
    await sent(mira, 'POST', '/office', { id: 'mira', name: 'Mira Okonjo' })
    expect((await read(mira, '/office')).body.data[0].name).to.equal('Mira Okonjo')
    expect((await read(mira, '/contacts')).status).to.equal(200)
  })
})
