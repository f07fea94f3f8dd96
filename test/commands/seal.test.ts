import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { fingerprintOf } from '../../commands/ids.ts'
import type { Keyring } from '../../commands/ports.ts'
import { openSealed, sealBody } from '../../commands/seal.ts'
import { personalFields, type Sealed, sealed } from '../../domain/kernel/schema.ts'
import { commands, events } from '../../domain/wallet/wallet/messages.ts'

const caller = { org: 'org-1', subject: 'user-1' }
const personal = personalFields(commands.open)

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
      return { key: randomUUID(), nonce: randomBytes(12).toString('base64url'), text }
    },
    open: async (_, envelopes) => envelopes.map(({ text }) => texts.get(text)?.plain ?? null),
  }
}

describe('personal data at the command edge', () => {
  it('is sealed for the subject that the command names, else for the caller', async () => {
    const keys = memoryKeyring()
    const own = await sealBody(keys, personal, { kind: 'personal', holder: 'Ada' }, caller)
    const other = await sealBody(keys, personal, { kind: 'personal', holder: 'Bob', owner: 'user-2' }, caller)
    expect(keys.sealedFor).to.deep.equal(['org-1/user-1', 'org-1/user-2'])
    expect([own.subjects, other.subjects]).to.deep.equal([['user-1'], ['user-2']])
    expect(sealed.safeParse(own.body.holder).success).to.equal(true)
  })

  it('leaves no plain text in what is decided on, stored or fingerprinted', async () => {
    const { body, open } = await sealBody(memoryKeyring(), personal, { kind: 'personal', holder: 'Ada L.' }, caller)
    expect(JSON.stringify([body, open])).not.to.contain('Ada')
    expect(open).to.deep.equal({ kind: 'personal' })
    const data = { owner: 'user-1', kind: 'personal', holder: body.holder as Sealed } as const
    expect(events.WalletOpened.safeEncode(data).error).to.equal(undefined)
  })

  it('does not change the fingerprint: a retry seals anew and is the same command', async () => {
    const keys = memoryKeyring()
    const prints = await Promise.all(
      ['Ada', 'Ada'].map(async holder => {
        const { open } = await sealBody(keys, personal, { kind: 'personal', holder }, caller)
        return fingerprintOf('open', open)
      }),
    )
    expect(prints[0]).to.equal(prints[1])
  })

  it('seals nothing where there is nothing', async () => {
    const { body, subjects } = await sealBody(memoryKeyring(), personal, { kind: 'personal' }, caller)
    expect({ body, subjects }).to.deep.equal({ body: { kind: 'personal' }, subjects: [] })
  })

  it('is opened in answers, and reads null where its key is gone', async () => {
    const keys = memoryKeyring()
    const { body } = await sealBody(keys, personal, { kind: 'personal', holder: 'Ada' }, caller)
    expect(await openSealed(keys, 'org-1', body)).to.deep.equal({ kind: 'personal', holder: 'Ada' })
    keys.forget('user-1')
    expect(await openSealed(keys, 'org-1', body)).to.deep.equal({ kind: 'personal', holder: null, erased: true })
  })
})
