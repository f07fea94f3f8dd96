import { expect } from 'chai'
import fc from 'fast-check'
import { erasure } from '../../../domain/audit/erasure/erasure.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const { given } = specFor(erasure)
const why = { basis: 'consent_withdrawn', reason: 'Asked for it.' } as const
const erased = (subject: string) => ({ type: 'SubjectErased', data: { subject, ...why } }) as const
const completed = (subject: string) => ({ type: 'ErasureCompleted', data: { subject, keys: 1, files: 2 } }) as const

describe('erasure', () => {
  it('erases each person once, whatever ground is given later', () => {
    given()
      .when('erase', { subject: 'jon', ...why })
      .then(erased('jon'))
    given(erased('jon'))
      .when('erase', { subject: 'mira', ...why })
      .then(erased('mira'))
    given(erased('jon')).when('erase', { subject: 'jon', basis: 'objection', reason: 'Again.' }).changesNothing()
    given(erased('jon'), completed('jon'))
      .when('erase', { subject: 'jon', ...why })
      .changesNothing()
  })

  it('is for each person that a token can name', () => {
    for (const subject of ['.', ' jon', 'jon ', 'auth0|5f', 'x'.repeat(128)]) {
      expect(erasure.commands.erase.safeParse({ subject, ...why }).success, subject).to.equal(true)
    }
    for (const subject of ['', 'a\nb', 'x'.repeat(129)]) {
      expect(erasure.commands.erase.safeParse({ subject, ...why }).success, subject).to.equal(false)
    }
  })

  it('is not for oneself', () =>
    given()
      .when('erase', { subject: 'user-1', ...why })
      .rejects('erasure_own'))

  it('is not for the keys of things, which go with these', () => {
    given()
      .when('erase', { subject: 'memory:m-1', ...why })
      .rejects('erasure_of_thing')
    const forgotten = {
      type: 'SubjectErased',
      data: { subject: 'memory:m-1', basis: 'no_longer_needed', reason: 'It was forgotten.' },
    } as const
    const forget = { category: 'memory', thing: 'm-1', reason: 'It was forgotten.' }
    given().when('forget', forget).then(forgotten)
    given(forgotten).when('forget', forget).changesNothing()
  })

  it('is completed once', () => {
    const both = ['jon', 'mira'].map(subject => ({ subject, keys: 1, files: 2 }))
    given(erased('jon'), erased('mira')).when('complete', { erased: both }).then(completed('jon'), completed('mira'))
    given(erased('jon'), completed('jon')).when('complete', { erased: both }).changesNothing()
    given().when('complete', { erased: both }).changesNothing()
  })
})

describe('legal holds', () => {
  const because = { reason: 'A court asked.' }
  const placed = (subject: string, matter = 'case') =>
    ({ type: 'LegalHoldPlaced', data: { subject, matter, ...because } }) as const
  const lifted = (subject: string, matter = 'case') =>
    ({ type: 'LegalHoldLifted', data: { subject, matter, ...because } }) as const
  const held = (subject: string, matter = 'case') => ({ subject, matter, ...because })

  it('are placed once for a matter, and lifted', () => {
    given().when('hold', held('jon')).then(placed('jon'))
    given(placed('jon')).when('hold', held('jon')).changesNothing()
    given(placed('jon')).when('hold', held('jon', 'audit')).then(placed('jon', 'audit'))
    given(placed('jon')).when('lift', held('jon')).then(lifted('jon'))
    given(placed('jon')).when('lift', held('jon', 'audit')).changesNothing()
    given(placed('jon'), lifted('jon')).when('lift', held('jon')).changesNothing()
  })

  it('keep a person from being erased until the last of them is lifted', () => {
    given(placed('jon'))
      .when('erase', { subject: 'jon', ...why })
      .rejects('legal_hold')
    given(placed('jon'), placed('jon', 'audit'), lifted('jon'))
      .when('erase', { subject: 'jon', ...why })
      .rejects('legal_hold')
    given(placed('jon'), lifted('jon'))
      .when('erase', { subject: 'jon', ...why })
      .then(erased('jon'))
    given(placed('jon'))
      .when('erase', { subject: 'mira', ...why })
      .then(erased('mira'))
  })

  it('are not for who is erased already, nor without end', () => {
    given(erased('jon')).when('hold', held('jon')).rejects('erased_already')
    const many = Array.from({ length: 100 }, (_, n) => placed('jon', `case ${n}`))
    given(...many)
      .when('hold', held('jon', 'one more'))
      .rejects('too_many_holds')
  })

  it('keep retention rules from erasing, which go on with the others', () => {
    const due = ['jon', 'mira', 'ben'].map(subject => ({ subject, reason: 'rule r' }))
    given(placed('jon'), erased('ben'))
      .when('retire', { due })
      .then({ type: 'SubjectErased', data: { subject: 'mira', basis: 'no_longer_needed', reason: 'rule r' } })
  })

  it('always win: whatever comes in whatever order, nobody is erased who is held', () => {
    const subject = fc.constantFrom('jon', 'mira', 'ben')
    const matter = fc.constantFrom('case', 'audit')
    const command = fc.oneof(
      fc.record({ name: fc.constant('erase' as const), subject }),
      fc.record({ name: fc.constant('retire' as const), subjects: fc.uniqueArray(subject, { minLength: 1 }) }),
      fc.record({ name: fc.constantFrom('hold' as const, 'lift' as const), subject, matter }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), commands => {
        // The oracle: matters by person, and who is erased.
        const matters = new Map(['jon', 'mira', 'ben'].map(name => [name, new Set<string>()]))
        const gone = new Set<string>()
        let state = erasure.initial
        for (const given of commands) {
          const body =
            given.name === 'retire'
              ? { due: given.subjects.map(name => ({ subject: name, reason: 'rule' })) }
              : given.name === 'erase'
                ? { subject: given.subject, ...why }
                : { subject: given.subject, matter: given.matter, ...because }
          let facts: ReturnType<typeof erasure.decide.erase> = []
          try {
            facts = erasure.decide[given.name](state, body as never, CONTEXT)
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
          }
          for (const { type, data } of facts) {
            const own = matters.get(data.subject)!
            if (type === 'SubjectErased') {
              expect([...own], data.subject).to.deep.equal([])
              expect(gone.has(data.subject)).to.equal(false)
              gone.add(data.subject)
            }
            if (type === 'LegalHoldPlaced') own.add(data.matter)
            if (type === 'LegalHoldLifted') own.delete(data.matter)
            state = erasure.evolve[type](state, data as never, CONTEXT.at)
          }
          if (given.name === 'erase') expect(gone.has(given.subject)).to.equal(matters.get(given.subject)!.size === 0)
          if (given.name === 'hold')
            expect(matters.get(given.subject)!.has(given.matter)).to.equal(!gone.has(given.subject))
        }
      }),
    )
  })
})
