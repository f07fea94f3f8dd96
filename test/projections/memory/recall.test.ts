import { expect } from 'chai'
import { LEGS } from '../../../projections/memory/recall/legs.ts'
import { Recall, type Recalled, type RecallOptions } from '../../../projections/memory/recall/recall.ts'
import { digestOf, snapshotOf } from '../../../projections/memory/recall/snapshot.ts'
import { randomOf } from '../history.ts'

const WORDS = `invoice invoices urgent cheap expensive client deadline studio travel hotel rechnung dringend die der ist
  und facturas para los clientes 東京 会議 発票 Anna Meier Berlin paid EUR 250.00 2026-03-01 anna@studio.example blocked
  done harbour ships navy fleet`.split(/\s+/)
const MODES = ['hybrid', ...LEGS] as const
const QUERIES = [
  'urgent invoice',
  'Anna Meier in Berlin',
  'expensive hotel "urgent invoice"',
  'rechnung dringend',
  '東京会議',
]

const time = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()

function memoryOf(random: (n: number) => number, n: number): Recalled {
  const text = (most: number) => Array.from({ length: random(most) }, () => WORDS[random(WORDS.length)]).join(' ')
  return {
    key: `note/${random(60)}`,
    kind: ['note', 'task', 'item'][random(3)]!,
    position: BigInt(n),
    at: time(n),
    source: `s${random(4)}`,
    subjects: [`p${random(5)}`],
    tags: ['red', 'blue', 'green'].filter(() => random(2) === 0),
    actor: `u${random(3)}`,
    ...(random(2) === 0 && { session: `chat-${random(4)}` }),
    fields: [
      [text(4), 3],
      [text(40), 1],
    ],
    relations: random(4) > 0 ? [] : [{ from: 'name:anna meier', type: 'works in', to: 'name:berlin', memory: 'x' }],
  }
}

/** Everything that searches say, except numbers that only this index has. */
const answersOf = (recall: Recall) =>
  MODES.flatMap(mode => QUERIES.map(query => recall.search(query, { mode, limit: 25 })))

describe('memory: the index of an org', () => {
  it('is the same, in bytes and in answers, however it came to be', () => {
    const random = randomOf(60)
    const index = new Recall()
    const held = new Map<string, Recalled>()
    for (let n = 0; n < 600; n += 1) {
      const memory = memoryOf(random, n)
      if (random(3) === 0) {
        index.delete(memory.key)
        held.delete(memory.key)
      } else {
        index.set(memory)
        held.delete(memory.key)
        held.set(memory.key, memory)
      }
      if (n % 150 > 0) continue
      const anew = new Recall()
      for (const each of [...held.values()].reverse()) anew.set(each)
      expect(snapshotOf(index)).to.equal(snapshotOf(anew))
      expect(answersOf(index)).to.deep.equal(answersOf(anew))
    }
  })

  it('holds nothing of a memory that was taken out, in any leg', () => {
    const random = randomOf(61)
    const index = new Recall()
    for (let n = 0; n < 200; n += 1) index.set(memoryOf(random, n))
    const before = digestOf(index)
    index.set({
      key: 'secret',
      kind: 'note',
      position: 999n,
      at: time(999),
      session: 'chat-1',
      fields: [['Zacharias Quill owes EUR 99.00, urgent! zq@quill.example', 1]],
      relations: [{ from: 'name:zacharias quill', type: 'owes', to: 'name:anna meier', memory: 'secret' }],
    })
    expect(digestOf(index)).to.not.equal(before)
    expect(index.search('zacharias quill').hits[0]!.key).to.equal('secret')
    index.delete('secret')
    expect(digestOf(index)).to.equal(before)
    expect(snapshotOf(index)).to.not.match(/zachar|quill/i)
    expect(index.search('zacharias quill').hits.map(({ key }) => key)).to.not.include('secret')
    for (const { traits } of index.memories()) index.delete(traits.key)
    expect(snapshotOf(index)).to.equal(snapshotOf(new Recall()))
  })

  it('forgets the ready sums of frequent words as they become rare', () => {
    const text = (n: number) => `harbour ships ${n % 7 === 0 ? 'navy' : 'fleet'} invoice${n}`
    const memory = (n: number): Recalled => ({
      key: `m${n}`,
      kind: 'note',
      position: 1n,
      at: time(0),
      fields: [[text(n), 1]],
    })
    const [index, anew] = [new Recall(), new Recall()]
    for (let n = 0; n < 400; n += 1) index.set(memory(n))
    const isReady = (recall: Recall) => {
      const part = recall.lexical.partOf(recall.memories()[0]!.number)
      return recall.neural.readyFor(part.postings, part.vocabulary.find('ship')!) !== undefined
    }
    expect(isReady(index)).to.equal(true)
    for (let n = 50; n < 400; n += 1) index.delete(`m${n}`)
    expect(isReady(index)).to.equal(false)
    for (let n = 0; n < 50; n += 1) anew.set(memory(n))
    expect(snapshotOf(index)).to.equal(snapshotOf(anew))
  })
})

describe('memory: scores', () => {
  const random = randomOf(62)
  const index = new Recall()
  for (let n = 0; n < 300; n += 1) index.set(memoryOf(random, n))

  it('are the sum of the parts of the legs, and those of words, phrases and sessions', () => {
    let hits = 0
    for (const { hits: found, legs } of answersOf(index)) {
      const weights = LEGS.reduce((sum, leg) => sum + legs[leg].weight, 0)
      if (found.length > 0) expect(weights).to.be.closeTo(1, 1e-9)
      for (const hit of found) {
        hits += 1
        const parts = Object.values(hit.legs).reduce((sum, { part }) => sum + part, 0)
        expect(hit.score).to.be.closeTo(parts, 1e-9)
        for (const [leg, { normalised, part }] of Object.entries(hit.legs)) {
          expect(normalised).to.be.within(0, 1)
          expect(part).to.be.closeTo(normalised * legs[leg as 'lexical'].weight, 2e-6)
        }
        if (!hit.legs.lexical) continue
        const words = hit.matched.reduce((sum, { score }) => sum + score, 0)
        expect(hit.legs.lexical.raw).to.be.closeTo(words + hit.phrase + hit.session, 1e-5)
      }
    }
    expect(hits).to.be.above(100)
  })

  it('page without loss or doubling', () => {
    for (const mode of MODES) {
      const whole = index.search('urgent invoice', { mode, limit: 200 }).hits.map(({ key }) => key)
      const paged: string[] = []
      for (let after: RecallOptions['after']; ; ) {
        const { hits } = index.search('urgent invoice', { mode, limit: 7, after })
        paged.push(...hits.map(({ key }) => key))
        if (hits.length < 7) break
        after = hits.at(-1)!.place
      }
      expect(paged, mode).to.deep.equal(whole)
    }
  })

  it('are given to memories that pass the filter alone, in every leg', () => {
    const filters: [RecallOptions['filter'] & object, (memory: Recalled) => boolean][] = [
      [{ kinds: ['task'] }, ({ kind }) => kind === 'task'],
      [{ allTags: ['red', 'blue'] }, ({ tags }) => tags!.includes('red') && tags!.includes('blue')],
      [{ anyTag: ['red', 'blue'] }, ({ tags }) => tags!.includes('red') || tags!.includes('blue')],
      [{ from: time(100), until: time(200) }, ({ at }) => at >= time(100) && at < time(200)],
      [{ actors: ['u1'], sources: ['s1', 's2'] }, ({ actor, source }) => actor === 'u1' && /s[12]/.test(source!)],
      [{ sessions: ['chat-1'] }, ({ session }) => session === 'chat-1'],
      [{ subjects: ['p1'], kinds: ['note', 'item'] }, ({ subjects, kind }) => subjects![0] === 'p1' && kind !== 'task'],
      [{ kinds: [] }, () => false],
    ]
    const traits = new Map(index.memories().map(memory => [memory.traits.key, memory.traits as Recalled]))
    for (const [filter, fits] of filters) {
      const right = new Set([...traits.values()].filter(fits).map(({ key }) => key))
      for (const mode of MODES) {
        const { hits } = index.search('urgent invoice', { mode, filter, limit: 100 })
        for (const { key } of hits) expect(right.has(key), `${mode} ${JSON.stringify(filter)}`).to.equal(true)
        if (mode === 'lexical' && right.size > 20) expect(hits).to.not.have.length(0)
        if (mode === 'lexical' && hits[0]) expect(hits[0].legs.lexical!.normalised).to.equal(1)
      }
    }
  })

  it('come from the other legs where one fails, and the answer says so', () => {
    const broken = new Recall()
    for (let n = 0; n < 20; n += 1) broken.set(memoryOf(randomOf(n), n))
    broken.neural.point = () => {
      throw new Error('no vectors today')
    }
    const { hits, legs } = broken.search('urgent invoice')
    expect(legs.neural).to.deep.equal({ state: 'failed', weight: 0, reason: 'no vectors today' })
    expect(hits).to.not.have.length(0)
    expect(LEGS.reduce((sum, leg) => sum + legs[leg].weight, 0)).to.be.closeTo(1, 1e-9)
  })

  it('are given, or nothing is, for any text at all', () => {
    const odd = [
      '',
      ' ',
      '"',
      '""',
      '" "',
      'a"b"c"',
      '\0',
      '\ud800',
      '🎉',
      '…',
      '-',
      '1',
      'x'.repeat(9_000),
      '((((',
      'und',
      'the of',
    ]
    for (const query of odd) {
      for (const mode of MODES) expect(index.search(query, { mode }).hits, query.slice(0, 9)).to.be.an('array')
    }
  })
})

describe('memory: legs', () => {
  const index = new Recall()
  const add = (key: string, text: string, more: Partial<Recalled> = {}) =>
    index.set({ key, kind: 'note', position: BigInt(index.size), at: time(index.size), fields: [[text, 1]], ...more })
  const found = (query: string, options: RecallOptions = {}) => index.search(query, options).hits.map(({ key }) => key)
  add('asks', 'When will the invoice for the harbour be sent?', { session: 'chat' })
  add('reply', 'Tomorrow, after lunch.', { session: 'chat' })
  add('alone', 'Tomorrow, after dinner.')
  add('ship', 'The ship left the harbour with the fleet of the navy.')
  add('vessel', 'A vessel of the navy: its fleet sails.')
  add('cook', 'Bread needs flour, salt and time.')
  add('late', 'This is urgent and the deadline is near.')
  add('calm', 'Someday, later, this is optional.')
  add('anna', 'We met Anna Meier of Blue Studio, who wants to pay EUR 1,250.00 on 3 March 2026.')
  add('blue', 'A letter came from Blue Studio about the terms.')
  add('de', 'Die Rechnungen für den Kunden sind nicht bezahlt, und die Mahnung ist verschickt.')
  add('zh', '东京会议的发票已经付款')

  it('finds words by their stems, accents folded, in the language of each text', () => {
    expect(found('invoices', { mode: 'lexical' })[0]).to.equal('asks')
    expect(found('Rechnung fur Kunde', { mode: 'lexical' })[0]).to.equal('de')
    expect(found('发票', { mode: 'lexical' })).to.deep.equal(['zh'])
    expect(found('议', { mode: 'lexical' })).to.deep.equal(['zh'])
    expect(found('inovice', { mode: 'lexical' })[0]).to.equal('asks')
    expect(found('harbour invo', { mode: 'lexical' })[0]).to.equal('asks')
  })

  it('puts texts with a quoted phrase first', () => {
    add('apart', 'blue for the studio, blue in the studio')
    expect(found('blue studio', { mode: 'lexical' })[0]).to.equal('apart')
    expect(found('"blue studio"', { mode: 'lexical' }).slice(0, 2)).to.have.members(['anna', 'blue'])
    index.delete('apart')
  })

  it('lifts what stands beside a hit in its session', () => {
    const { hits } = index.search('harbour invoice', { mode: 'lexical' })
    const reply = hits.find(({ key }) => key === 'reply')!
    expect(reply.matched).to.deep.equal([])
    expect(reply.session).to.be.above(0)
    expect(hits.map(({ key }) => key)).to.not.include('alone')
  })

  it('finds texts by the company that words keep', () => {
    expect(found('ship', { mode: 'lexical' })).to.not.include('vessel')
    const near = found('ship', { mode: 'neural' })
    expect(near.slice(0, 2)).to.deep.equal(['ship', 'vessel'])
  })

  it('places texts between the poles of the dimensions that a query mentions', () => {
    expect(found('what is urgent', { mode: 'conceptual' })).to.deep.equal(['late', 'calm'])
    expect(found('what can be done later', { mode: 'conceptual' })[0]).to.equal('calm')
    expect(found('bread', { mode: 'conceptual' })).to.deep.equal([])
    const taste = [{ name: 'taste', low: ['flour'], high: ['salt'] }]
    expect(found('salt', { mode: 'conceptual', dimensions: taste })).to.deep.equal(['cook'])
  })

  it('walks from the entities of a query, and says which way', () => {
    const { hits } = index.search('what does anna meier want', { mode: 'knowledge' })
    expect(hits.map(({ key }) => key)).to.deep.equal(['anna', 'blue'])
    expect(hits.map(({ path }) => path)).to.deep.equal([
      ['name:anna meier'],
      ['name:anna meier', 'anna', 'name:blue studio'],
    ])
    for (const query of ['EUR 1250.00', '2026-03-03']) expect(found(query, { mode: 'knowledge' })[0]).to.equal('anna')
  })
})
