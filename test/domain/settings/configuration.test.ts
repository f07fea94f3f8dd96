import { expect } from 'chai'
import fc from 'fast-check'
import { noneKeyed, withMember } from '../../../domain/record/keyed.ts'
import { effectiveOf, isOn, SETTINGS } from '../../../domain/record/settings.ts'
import { configuration } from '../../../domain/settings/configuration/configuration.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const { given } = specFor(configuration)
const reason = 'So it is.'
const german = { type: 'SettingSet', data: { key: 'locale', value: 'de', reason } } as const
const own = { type: 'SettingSet', data: { key: 'theme', value: 'dark', user: CONTEXT.actor } } as const
const flag = { type: 'FlagSet', data: { flag: 'new', percent: 10, users: [] as string[], reason } } as const

describe('configuration', () => {
  it('sets settings of the organization and of the caller, in their forms', () => {
    given().when('set', german.data).then(german)
    given(german).when('set', german.data).changesNothing()
    given().when('setOwn', { key: 'theme', value: 'dark' }).then(own)
    given(own).when('setOwn', { key: 'theme', value: 'dark' }).changesNothing()
    given().when('set', { key: 'theme', value: 'pink' }).rejects('setting_invalid')
    given().when('set', { key: 'colour', value: 'pink' }).rejects('setting_unknown')
    given().when('set', { key: 'toString', value: 'pink' }).rejects('setting_unknown')
    given().when('setOwn', { key: 'fiscal_year_start', value: '07-01' }).rejects('setting_not_here')
  })

  it('unsets what is set, for that level alone', () => {
    given(german)
      .when('unset', { key: 'locale', reason })
      .then({ type: 'SettingUnset', data: { key: 'locale', reason } })
    given(german).when('unsetOwn', { key: 'locale' }).changesNothing()
    given(own)
      .when('unsetOwn', { key: 'theme' })
      .then({ type: 'SettingUnset', data: { key: 'theme', user: CONTEXT.actor } })
    given(own).when('unset', { key: 'theme' }).changesNothing()
  })

  it('sets and drops flags', () => {
    given().when('setFlag', flag.data).then(flag)
    given(flag).when('setFlag', flag.data).changesNothing()
    given(flag)
      .when('dropFlag', { flag: 'new' })
      .then({ type: 'FlagDropped', data: { flag: 'new' } })
    given().when('dropFlag', { flag: 'constructor' }).changesNothing()
  })
})

describe('settings', () => {
  it('have defaults and forms that fit', () => {
    for (const { default: value, is, key } of SETTINGS) if (value !== '') expect(is(value), key).to.equal(true)
    const texts = ['', ' ', 'x'.repeat(2_000), '\0', '-1', '1e3', 'Not/A_Zone', '__proto__']
    for (const { key, is } of SETTINGS) for (const text of texts) expect(() => is(text), key).to.not.throw()
  })

  it('count by the nearest level that has said something', () => {
    const value = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined })
    fc.assert(
      fc.property(value, value, value, (platform, organization, user) => {
        const valuesOf = (said: string | undefined) =>
          said === undefined ? noneKeyed : withMember(noneKeyed, 'k', said)
        const values = { platform: valuesOf(platform), organization: valuesOf(organization), user: valuesOf(user) }
        const expected = user ?? organization ?? platform ?? 'default'
        expect(effectiveOf({ key: 'k', default: 'default' }, values).value).to.equal(expected)
      }),
    )
  })

  it('turn a flag on for its share of users, and for nobody less when the share grows', () => {
    const users = Array.from({ length: 2_000 }, (_, n) => `user-${n}`)
    const on = (percent: number) => users.filter(user => isOn('new', { percent, users: [] }, user))
    expect(on(0)).to.have.length(0)
    expect(on(100)).to.have.length(2_000)
    expect(on(30).length / 2_000).to.be.within(0.26, 0.34)
    expect(on(60)).to.include.members([...on(30)])
    expect(isOn('new', { percent: 0, users: ['mira'] }, 'mira')).to.equal(true)
  })
})
