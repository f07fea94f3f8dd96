import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson, isStorableJson, isStorableText, storableFault, toWire } from '../../../domain/kernel/json.ts'

const number = (hex: string) => Buffer.from(hex, 'hex').readDoubleBE()

/** RFC 8785, appendix B: IEEE 754 bits and how they are written. */
const NUMBERS = {
  '0000000000000000': '0',
  '8000000000000000': '0',
  '0000000000000001': '5e-324',
  '8000000000000001': '-5e-324',
  '7fefffffffffffff': '1.7976931348623157e+308',
  ffefffffffffffff: '-1.7976931348623157e+308',
  '4340000000000000': '9007199254740992',
  c340000000000000: '-9007199254740992',
  '4430000000000000': '295147905179352830000',
  '44b52d02c7e14af5': '9.999999999999997e+22',
  '44b52d02c7e14af6': '1e+23',
  '44b52d02c7e14af7': '1.0000000000000001e+23',
  '444b1ae4d6e2ef4e': '999999999999999700000',
  '444b1ae4d6e2ef4f': '999999999999999900000',
  '444b1ae4d6e2ef50': '1e+21',
  '3eb0c6f7a0b5ed8c': '9.999999999999997e-7',
  '3eb0c6f7a0b5ed8d': '0.000001',
  '41b3de4355555553': '333333333.3333332',
  '41b3de4355555554': '333333333.33333325',
  '41b3de4355555555': '333333333.3333333',
  '41b3de4355555556': '333333333.3333334',
  '41b3de4355555557': '333333333.33333343',
  becbf647612f3696: '-0.0000033333333333333333',
  '43143ff3c1cb0959': '1424953923781206.2',
} as const

/** RFC 8785, section 3.2.2: the example object, and section 3.2.4: its canonical bytes. */
const EXAMPLE = String.raw`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`
const EXAMPLE_BYTES = `
  7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73
  22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31
  65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c
  22 2f 22 7d`

/** RFC 8785, section 3.2.3: names are sorted by UTF-16 code units, not by code points. */
const NAMES = {
  '\u20ac': 'Euro Sign',
  '\r': 'Carriage Return',
  '\ufb33': 'Hebrew Letter Dalet With Dagesh',
  '1': 'One',
  '\ud83d\ude00': 'Emoji: Grinning Face',
  '\u0080': 'Control',
  '\u00f6': 'Latin Small Letter O With Diaeresis',
}

/** JSON that RFC 8785 can carry: no unpaired surrogate, and no -0, which it writes as 0. */
const json = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 4 })
  .filter(value => !/\\ud[89a-f]/i.test(JSON.stringify(value)))

describe('canonical JSON', () => {
  it('writes numbers as RFC 8785 does', () => {
    for (const [bits, text] of Object.entries(NUMBERS)) expect(canonicalJson(number(bits)), bits).to.equal(text)
  })
  it('has no form for NaN and infinities', () => {
    for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000']) {
      expect(() => canonicalJson(number(bits)), bits).to.throw(TypeError)
    }
  })
  it('writes the example of RFC 8785 byte by byte', () => {
    const bytes = Buffer.from(canonicalJson(JSON.parse(EXAMPLE)), 'utf8')
    expect(bytes.toString('hex')).to.equal(EXAMPLE_BYTES.replace(/\s/g, ''))
  })
  it('sorts names by UTF-16 code units', () => {
    const sorted = JSON.parse(canonicalJson(Object.entries(NAMES).map(([name]) => ({ [name]: 1 })))) as object[]
    expect(sorted).to.have.length(7)
    expect([...canonicalJson(NAMES).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).to.deep.equal([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })
  it('refuses unpaired surrogates, in values and in names', () => {
    expect(() => canonicalJson('\ud800')).to.throw(TypeError)
    expect(() => canonicalJson({ '\udc00': 1 })).to.throw(TypeError)
  })
  it('refuses what JSON does not have', () => {
    for (const value of [undefined, () => 1, Symbol('x'), [undefined]]) {
      expect(() => canonicalJson(value)).to.throw(TypeError)
    }
  })
  it('writes money as a decimal string and leaves out what is undefined', () =>
    expect(canonicalJson({ b: 10n ** 37n, a: undefined })).to.equal(`{"b":"1${'0'.repeat(37)}"}`))
  it('says the same for the same value, in whatever order its names came', () =>
    fc.assert(
      fc.property(json, value => {
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).to.equal(text)
        expect(canonicalJson(reversed(value))).to.equal(text)
      }),
    ))
  it('agrees with the engine where that keeps the order of names: all but array indexes', () =>
    fc.assert(
      fc.property(json, value => {
        fc.pre(!/"\d+":/.test(JSON.stringify(value)))
        expect(canonicalJson(value)).to.equal(JSON.stringify(sorted(value)))
      }),
    ))
})

describe('storable JSON', () => {
  it('is an object', () => {
    for (const value of [null, 1, 'x', [], [{}], undefined]) expect(isStorableJson(value)).to.equal(false)
    expect(isStorableJson({})).to.equal(true)
  })
  it('has no U+0000 and no unpaired surrogate anywhere', () => {
    for (const bad of ['\0', 'a\ud800', '\udfffb']) {
      expect(isStorableText(bad)).to.equal(false)
      expect(isStorableJson({ a: [{ b: bad }] })).to.equal(false)
      expect(isStorableJson({ a: { [bad]: 1 } })).to.equal(false)
    }
    expect(isStorableJson({ '😀': '😀' })).to.equal(true)
  })
  it('has limits: depth, number of values, length of texts, finite numbers, no __proto__', () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
    expect([8, 9].map(depth => isStorableJson(nested(depth)))).to.deep.equal([true, false])
    expect([999, 1000].map(length => isStorableJson({ a: Array(length - 1).fill(0) }))).to.deep.equal([true, false])
    expect([10_000, 10_001].map(length => isStorableJson({ a: 'x'.repeat(length) }))).to.deep.equal([true, false])
    expect(isStorableJson({ a: Number.NaN })).to.equal(false)
    expect(isStorableJson(JSON.parse('{"a":{"__proto__":1}}'))).to.equal(false)
  })
  it('says where a limit is broken, and which', () => {
    const faults: readonly (readonly [unknown, RegExp])[] = [
      [{ a: { text: 'y'.repeat(10_001) } }, /^a\.text has 10001 characters, 10000 are allowed$/],
      [{ ['n'.repeat(257)]: 1 }, /^the name n+ has 257 characters, 256 are allowed$/],
      [{ a: Array(1_000).fill(0) }, /more than 1000 values/],
      [{ a: ['x\0'] }, /^a\.0 holds U\+0000/],
      [
        { a: { b: { c: { d: { e: { f: { g: { h: { i: 1 } } } } } } } } },
        /^a\.b\.c\.d\.e\.f\.g\.h\.i is deeper than 8 levels$/,
      ],
      [JSON.parse('{"__proto__":1}'), /^the name __proto__ is not taken$/],
      [[], /no object/],
    ]
    for (const [value, message] of faults) expect(storableFault(value)).to.match(message)
    expect(storableFault({ a: '__proto__' })).to.equal(undefined)
  })
  it('keeps a member of any name on its way to the wire', () => {
    const text = '{"":[{"__proto__":null}],"__proto__":{"a":1},"constructor":"c"}'
    expect(canonicalJson(toWire(JSON.parse(text)))).to.equal(canonicalJson(JSON.parse(text)))
  })

  it('keeps its meaning on the wire', () =>
    fc.assert(
      fc.property(json.filter(isStorableJson), value => {
        expect(canonicalJson(toWire(value))).to.equal(canonicalJson(value))
      }),
    ))
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, item]) => [name, reversed(item)] as const)
  return Object.fromEntries(entries.reverse())
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map(name => [name, sorted((value as Record<string, unknown>)[name])]))
}
