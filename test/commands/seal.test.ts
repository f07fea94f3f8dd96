import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { Command } from '../../commands/command.ts'
import type { Keyring } from '../../commands/ports.ts'
import { openSealed, sealBody } from '../../commands/seal.ts'
import { type Sealed, sealed } from '../../domain/kernel/schema.ts'
import { note } from '../../domain/office/note/note.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'

/** A keyring in memory: an envelope names its text, and a subject can be forgotten. */
function memoryKeyring(): Keyring & { forget: (subject: string) => void; sealedFor: string[] } {
  const texts = new Map<string, { subject: string; plain: string }>()
  const sealedFor: string[] = []
  return {
    sealedFor,
    forget(subject) {
      for (const [text, entry] of texts) if (entry.subject === subject) texts.delete(text)
    },
    async seal(org, subject, plain) {
      const text = randomBytes(24).toString('base64url')
      texts.set(text, { subject, plain })
      sealedFor.push(`${org}/${subject}`)
      const digest = Buffer.from(`${subject}: ${plain}`).toString('base64url').padEnd(43, '_')
      return { key: randomUUID(), nonce: randomBytes(12).toString('base64url'), text, digest }
    },
    own: async () => {},
    mustNotBeErased: async () => {},
    open: async (_, envelopes) => envelopes.map(({ text }) => texts.get(text)?.plain ?? null),
  }
}

const commandOf = (aggregate: Command['aggregate'], name: string, body: object): Command => ({
  aggregate,
  name,
  id: 'thing',
  opens: true,
  body,
  idempotencyKey: 'key',
  principal: { org: 'org-1', subject: 'user-1', roles: [], permissions: [] },
  correlationId: 'c',
})
const open = (body: object) => commandOf(wallet, 'open', body)

describe('personal data at the command edge', () => {
  it('is sealed for the subject that the command names, else for the caller', async () => {
    const keys = memoryKeyring()
    const own = await sealBody(keys, open({ kind: 'personal', holder: 'Ada' }), wallet.initial)
    const other = await sealBody(keys, open({ kind: 'personal', holder: 'Bob', owner: 'user-2' }), wallet.initial)
    expect(keys.sealedFor).to.deep.equal(['org-1/user-1', 'org-1/user-2'])
    expect([own.subjects, other.subjects]).to.deep.equal([['user-1'], ['user-2']])
    expect(sealed.safeParse(own.body.holder).success).to.equal(true)
  })

  it('is sealed for the subject that the state names, once the thing exists, whoever calls', async () => {
    const keys = memoryKeyring()
    const state = { status: 'present', owner: 'owner-1', fields: {} } as const
    const { subjects } = await sealBody(keys, commandOf(note, 'change', { body: 'Milk' }), state)
    expect([keys.sealedFor, subjects]).to.deep.equal([['org-1/owner-1'], ['owner-1']])
  })

  it('leaves no plain text in what is decided on and stored', async () => {
    const { body } = await sealBody(memoryKeyring(), open({ kind: 'personal', holder: 'Ada L.' }), wallet.initial)
    expect(JSON.stringify(body)).not.to.contain('Ada')
    const data = { owner: 'user-1', kind: 'personal', holder: body.holder as Sealed } as const
    expect(events.WalletOpened.safeEncode(data).error).to.equal(undefined)
  })

  it('counts in the fingerprint by its digest: a retry is the same command, another text is not', async () => {
    const keys = memoryKeyring()
    const printOf = async (holder: string) =>
      (await sealBody(keys, open({ kind: 'personal', holder }), wallet.initial)).fingerprint
    expect(await printOf('Ada')).to.equal(await printOf('Ada'))
    expect(await printOf('Ada')).not.to.equal(await printOf('Bob'))
  })

  it('seals nothing where there is nothing', async () => {
    const { body, subjects } = await sealBody(memoryKeyring(), open({ kind: 'personal' }), wallet.initial)
    expect({ body, subjects }).to.deep.equal({ body: { kind: 'personal' }, subjects: [] })
    const change = await sealBody(memoryKeyring(), commandOf(note, 'change', { body: null }), note.initial)
    expect(change.body).to.deep.equal({ body: null })
  })

  it('is opened in answers, and reads null where its key is gone', async () => {
    const keys = memoryKeyring()
    const { body } = await sealBody(keys, open({ kind: 'personal', holder: 'Ada' }), wallet.initial)
    expect(await openSealed(keys, 'org-1', body)).to.deep.equal({ kind: 'personal', holder: 'Ada' })
    keys.forget('user-1')
    expect(await openSealed(keys, 'org-1', body)).to.deep.equal({ kind: 'personal', holder: null, erased: true })
  })
})
