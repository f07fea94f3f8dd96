/** What the notary hashes of stored bytes is what it hashes of the event that they hold. */
import { expect } from 'chai'
import fc from 'fast-check'
import { uuidOf } from '../../commands/ids.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { isSurelyCanonical } from '../../projections/notary/canonical-bytes.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash } from '../../projections/notary/merkle.ts'
import { storedLeaf } from '../../projections/notary/stored-leaf.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 200_000 : 3_000

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 5 }),
  fc.constantFrom('a', 'ab', '"', '\\', '\n', '\u007f'),
)
const json = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(word, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value
const change = fc.record({
  at: fc.nat(),
  gone: fc.nat({ max: 2 }),
  part: fc.oneof(word, fc.constantFrom('', '}', ']', ',', ':', '0', '-', 'tru', '01')),
})

const changed = (text: string, { at, gone, part }: { at: number; gone: number; part: string }) =>
  text.slice(0, at % text.length) + part + text.slice((at % text.length) + gone)

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

describe('the leaf of stored bytes', () => {
  it('knows canonical JSON, and takes nothing else for it', () => {
    let taken = 0
    const check = (bytes: Buffer) => {
      if (!isSurelyCanonical(bytes)) return
      taken += 1
      const value = parsed(bytes)
      expect(value, bytes.toString()).to.not.equal(undefined)
      expect(Buffer.from(canonicalJson(value)).equals(bytes), bytes.toString()).to.equal(true)
    }
    fc.assert(
      fc.property(json, change, fc.nat({ max: 255 }), (value, edit, byte) => {
        const text = canonicalJson(value)
        check(Buffer.from(text))
        check(Buffer.from(changed(text, edit)))
        const bytes = Buffer.from(text)
        bytes[edit.at % bytes.length] = byte
        check(bytes)
      }),
      { numRuns: RUNS },
    )
    expect(taken).to.be.greaterThan(RUNS / 2)
    for (const text of [
      '',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '[',
      '[1,',
      '"',
      '-',
      'tru',
      '{"a":1,}',
      '[1 ]',
      '"\u0001"',
      '00',
      '-0',
    ])
      expect(isSurelyCanonical(Buffer.from(text)), text).to.equal(false)
    expect(isSurelyCanonical(Buffer.from('[0,-1,true,false,null,{"a":{},"ab":[],"b":"ü"}]'))).to.equal(true)
  })

  it('is that of the event, whatever its bytes are', () => {
    let taken = 0
    const metadata = {
      $causationId: uuidOf(['a']),
      $correlationId: 'c',
      actor: { roles: ['x', 'y'], subject: 'mira', teams: ['z'] },
      at: '2026-01-02T03:04:05.006Z',
      behalf: { roles: [], subject: 'jon' },
      commandId: uuidOf(['b']),
      fingerprint: 'ab'.repeat(32),
      id: 'thing 1',
      org: 'north',
      schema: 1,
      subjects: ['jon'],
    }
    fc.assert(
      fc.property(json, change, fc.boolean(), word, (value, edit, isEdited, type) => {
        const text = canonicalJson(metadata)
        const stored = {
          data: Buffer.from(canonicalJson(value)),
          metadata: Buffer.from(isEdited ? changed(text, edit) : text),
        }
        const found = parsed(stored.metadata) as never
        const event = { eventId: uuidOf(['e']), stream: 'task-1', type, revision: 7n, position: 9n, stored }
        const known = storedLeaf({ ...event, data: value as never, metadata: found })
        if (!known) return
        taken += 1
        expect(known.leaf).to.deep.equal(leafHash(leafOf({ ...event, data: value as never, metadata: found })))
        expect(known.org).to.equal((found as { org: string }).org)
      }),
      { numRuns: RUNS },
    )
    expect(taken).to.be.greaterThan(RUNS / 30)
  })
})
