/** What the pattern of usual lines takes, the long way takes too, and finds the same event in it. */
import { expect } from 'chai'
import fc from 'fast-check'
import { uuidOf } from '../../commands/ids.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { aggregates } from '../../infra/catalogue.ts'
import { eventOf } from '../../read-api/audit/bundle.ts'
import { lineSchemas } from '../../read-api/audit/line-check.ts'
import { leafOfLine } from '../../read-api/audit/line-parse.ts'
import { usualLine } from '../../read-api/audit/usual-line.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 200_000 : 3_000

const word = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', ':', '.'), minLength: 1, maxLength: 6 })
const data = fc.dictionary(
  fc.constantFrom('a', 'data', 'id', 'metadata', 'position', 'z'),
  fc.oneof(
    word,
    fc.constant('ü"\\'),
    fc.integer(),
    fc.constant(null),
    fc.constant({ id: 'x', metadata: { a: ['b'] } }),
  ),
)
const who = fc.record(
  { subject: word, roles: fc.array(word, { maxLength: 2 }), teams: fc.array(word) },
  {
    requiredKeys: ['subject', 'roles'],
  },
)

/** Lines as exports have them, of every form that the write path gives metadata. */
const lines = fc
  .record({ data, actor: who, behalf: fc.option(who, { nil: undefined }), subjects: fc.array(word), name: word })
  .map(({ data, actor, behalf, subjects, name }) =>
    canonicalJson({
      data,
      id: uuidOf([name]),
      metadata: {
        $causationId: uuidOf([name, 'cause']),
        $correlationId: name,
        actor,
        at: '2024-02-29T08:00:00.000Z',
        ...(behalf && { behalf }),
        commandId: uuidOf([name, 'command']),
        fingerprint: 'ab'.repeat(32),
        id: name,
        org: 'north',
        schema: 1,
        subjects,
      },
      position: '4711',
      revision: '0',
      stream: `task-${uuidOf(['t'])}`,
      type: 'TaskCreated',
    }),
  )

/** Parts that a change of a line may bring in. */
const parts = fc.oneof(
  fc.constantFrom('', '"', '\\', ' ', '{', '}', ',', '0', '\u0000', '\u007f', 'ü', '\u2028', '-02-30T', '"id":"x",'),
  fc.string({ maxLength: 3 }),
)

describe('a line of the usual form', () => {
  const { envelope, metadata } = lineSchemas(aggregates)

  it('is taken as the long way takes it, and its leaf is the same', () => {
    fc.assert(
      fc.property(lines, text => {
        const bytes = Buffer.from(text)
        const usual = usualLine(bytes)
        if (text.includes('\\')) return
        const event = eventOf(JSON.parse(text))
        expect(usual!.event).to.deep.equal(event)
        expect(leafOfLine(bytes, usual!.places, event)).to.deep.equal(leafOfLine(bytes, undefined, event))
      }),
      { numRuns: RUNS / 10 },
    )
  })

  it('is none where anything was changed that the long way refuses or reads otherwise', () => {
    let taken = 0
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat({ max: 3 }), parts, (text, place, gone, part) => {
        const at = place % text.length
        const changed = Buffer.from(text.slice(0, at) + part + text.slice(at + gone))
        const usual = usualLine(changed)
        if (!usual) return
        taken += 1
        const parsed: { metadata: unknown } = JSON.parse(changed.toString())
        expect(canonicalJson(parsed)).to.equal(changed.toString())
        expect(envelope(parsed) && metadata(parsed.metadata)).to.equal(true)
        expect(usual.event).to.deep.equal(eventOf(parsed as never))
      }),
      { numRuns: RUNS },
    )
    expect(taken).to.be.greaterThan(RUNS / 50)
  })

  it('is none where its bytes are no UTF-8', () => {
    const [text] = fc.sample(lines, { numRuns: 1, seed: 7 })
    const bytes = Buffer.from(text!.replace('{"data":', '{"data":{"x":"ü"},"gone":'))
    const whole = Buffer.from(text!.replace(/^\{"data":\{.*?\},"id":"(?=[0-9a-f]{8}-)/, '{"data":{"x":"ü"},"id":"'))
    expect(usualLine(whole)).to.not.equal(undefined)
    const broken = Buffer.from(whole)
    broken[whole.indexOf(0xc3)] = 0xff
    expect(usualLine(broken)).to.equal(undefined)
    expect(usualLine(bytes)).to.equal(undefined)
  })
})
