import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { expect } from 'chai'
import fc from 'fast-check'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { cloudEventFrom, cloudEventOf } from '../../infra/relay/cloud-event.ts'
import { subjectOf, textOf, tokenOf } from '../../infra/relay/subject.ts'

const parsed = async (name: string) => JSON.parse(await readFile(`test/relay/cloudevents/${name}.json`, 'utf8'))
type Official = { readonly id: string; readonly event: object }

const stored: StoredEvent = {
  type: 'WalletOpened',
  data: { kind: 'business', holder: { key: 'k', nonce: 'n', text: 'sealed' } },
  eventId: '7d3b2c1a-0000-5000-8000-000000000001',
  stream: 'wallet-7d3b2c1a-0000-5000-8000-000000000002',
  revision: 12_345_678_901n,
  position: 98_765_432_109_876n,
  metadata: {
    $correlationId: 'c',
    $causationId: 'd',
    commandId: 'e',
    fingerprint: 'f',
    org: 'acme.example',
    id: 'my wallet > 1',
    actor: { subject: 'mira', roles: [] },
    subjects: [],
    at: '2026-01-02T03:04:05.678Z',
    schema: 1,
  },
}

describe('CloudEvents', () => {
  it('are taken where the specification takes them, and refused where it does not', async () => {
    const [valid, invalid] = [await parsed('valid-events'), await parsed('invalid-events')]
    expect([valid.tests.length, invalid.tests.length]).to.deep.equal([10, 25])
    for (const { id, event } of valid.tests as Official[]) {
      const present = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null))
      expect(cloudEventFrom(JSON.stringify(event)), id).to.deep.equal(present)
    }
    for (const { id, event } of invalid.tests as Official[]) {
      expect(() => cloudEventFrom(JSON.stringify(event)), id).to.throw(TypeError)
    }
  })

  it('of the log are as the JSON schema of the specification says', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false })
    const valid = ajv.compile(await parsed('schema'))
    const event = cloudEventOf(stored, 'wallet')
    expect(valid(event), JSON.stringify(valid.errors)).to.equal(true)
    expect(valid({ ...event, id: '' })).to.equal(false)
    expect(cloudEventFrom(JSON.stringify(event))).to.deep.equal(event)
    expect(event).to.deep.include({
      id: stored.eventId,
      source: '/orgs/acme.example/wallet',
      type: 'kogi.wallet.wallet.WalletOpened',
      subject: 'my wallet > 1',
      position: '98765432109876',
      revision: '12345678901',
      data: stored.data,
    })
  })
})

describe('subjects', () => {
  it('have one token for any text, which can be turned back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), text => {
        const token = tokenOf(text)
        expect(token).to.match(/^[A-Za-z0-9_%-]+$/)
        expect(textOf(token)).to.equal(text)
      }),
    )
    for (const text of ['a b', 'a.b', '*', '>', 'a\tb', "it's (1)!", '%2E', '~', 'ž']) {
      expect(textOf(tokenOf(text))).to.equal(text)
    }
    expect(tokenOf('a b.c*>')).to.equal('a%20b%2Ec%2A%3E')
    for (const bad of ['', 'a.b', 'a b', '%', '%zz', '%C5']) expect(() => textOf(bad), bad).to.throw(URIError)
    expect(subjectOf('acme.example', 'wallet', 'wallet', 'WalletOpened')).to.equal(
      'kogi.acme%2Eexample.wallet.wallet.WalletOpened',
    )
  })
})
