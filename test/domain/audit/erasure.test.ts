import { expect } from 'chai'
import { erasure } from '../../../domain/audit/erasure/erasure.ts'
import { specFor } from '../../support/spec.ts'

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

  it('is completed once', () => {
    const both = ['jon', 'mira'].map(subject => ({ subject, keys: 1, files: 2 }))
    given(erased('jon'), erased('mira')).when('complete', { erased: both }).then(completed('jon'), completed('mira'))
    given(erased('jon'), completed('jon')).when('complete', { erased: both }).changesNothing()
    given().when('complete', { erased: both }).changesNothing()
  })
})
