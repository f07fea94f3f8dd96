import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { type Flag, mustFit, type Values, withValue } from '../../record/settings.ts'
import { commands, events, rejections } from './messages.ts'

/** What an organization, and each of its users, has set. */
export type Configuration = {
  readonly status: 'empty' | 'kept'
  readonly values: Values
  readonly ofUsers: Keyed<Values>
  /** Users who have set something, and flags. */
  readonly users: number
  readonly flags: Readonly<Record<string, Flag>>
}

/** The id of the one configuration of an organization. */
const CONFIGURATION = 'configuration'
const USERS_MAX = 50_000
const FLAGS_MAX = 500

/** The values of a user, none where they have set nothing. */
export const ownValues = ({ ofUsers }: Pick<Configuration, 'ofUsers'>, user: string): Values =>
  memberOf(ofUsers, user) ?? noneKeyed

function withSetting(state: Configuration, key: string, value: string | undefined, user: string | undefined) {
  if (user === undefined) return { ...state, status: 'kept' as const, values: withValue(state.values, key, value) }
  const isNew = memberOf(state.ofUsers, user) === undefined
  const ofUsers = withMember(state.ofUsers, user, withValue(ownValues(state, user), key, value))
  return { ...state, status: 'kept' as const, ofUsers, users: isNew ? state.users + 1 : state.users }
}

const evolve: Evolve<Configuration, typeof events> = {
  SettingSet: (state, { key, value, user }) => withSetting(state, key, value, user),
  SettingUnset: (state, { key, user }) => withSetting(state, key, undefined, user),
  FlagSet: (state, { flag, percent, users }) => ({
    ...state,
    status: 'kept',
    flags: { ...state.flags, [flag]: { percent, users } },
  }),
  FlagDropped: (state, { flag }) => ({ ...state, flags: withoutFlag(state.flags, flag) }),
}

const withoutFlag = (flags: Configuration['flags'], flag: string): Configuration['flags'] =>
  Object.fromEntries(Object.entries(flags).filter(([name]) => name !== flag))

const decide: Decide<Configuration, typeof commands, typeof events> = {
  set({ values }, { key, value, reason }) {
    mustFit(key, value, 'organization')
    return memberOf(values, key) === value ? [] : [{ type: 'SettingSet', data: { key, value, ...because(reason) } }]
  },
  unset: ({ values }, { key, reason }) =>
    memberOf(values, key) === undefined ? [] : [{ type: 'SettingUnset', data: { key, ...because(reason) } }],
  setOwn(state, { key, value }, { actor: user }) {
    mustFit(key, value, 'user')
    if (memberOf(state.ofUsers, user) === undefined && state.users >= USERS_MAX) throw full(USERS_MAX)
    const isSame = memberOf(ownValues(state, user), key) === value
    return isSame ? [] : [{ type: 'SettingSet', data: { key, value, user } }]
  },
  unsetOwn(state, { key }, { actor: user }) {
    const isUnset = memberOf(ownValues(state, user), key) === undefined
    return isUnset ? [] : [{ type: 'SettingUnset', data: { key, user } }]
  },
  setFlag({ flags }, { flag, ...data }) {
    const before = Object.hasOwn(flags, flag) ? flags[flag] : undefined
    if (!before && Object.keys(flags).length >= FLAGS_MAX) throw full(FLAGS_MAX)
    const isSame = before?.percent === data.percent && before.users.join('\0') === data.users.join('\0')
    return isSame ? [] : [{ type: 'FlagSet', data: { flag, ...data } }]
  },
  dropFlag: ({ flags }, { flag, reason }) =>
    Object.hasOwn(flags, flag) ? [{ type: 'FlagDropped', data: { flag, ...because(reason) } }] : [],
}

const full = (most: number) => rejected('configuration_full', 'Drop what nobody needs.', { most })

/** The settings and flags of an organization and of its users. */
export const configuration = aggregate({
  name: 'configuration',
  only: CONFIGURATION,
  events,
  commands,
  api: {
    set: ['PUT /settings/:key', 'values.write', 'Set a setting for the whole organization.'],
    unset: ['DELETE /settings/:key', 'values.write', 'Let the setting of the platform count again.'],
    setOwn: ['PUT /own-settings/:key', 'own-values.write', 'Set a setting for yourself.'],
    unsetOwn: ['DELETE /own-settings/:key', 'own-values.write', 'Let the setting of the organization count again.'],
    setFlag: ['PUT /flags/:flag', 'flags.write', 'Turn a feature on for some users, or for a share of all.'],
    dropFlag: ['DELETE /flags/:flag', 'flags.write', 'Drop a flag: that of the platform counts, if there is one.'],
  },
  rejections,
  initial: { status: 'empty', values: noneKeyed, ofUsers: noneKeyed, users: 0, flags: {} } as Configuration,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      SettingSet: ({ key }) => said`set the setting ${mention('setting', key)}`,
      SettingUnset: ({ key }) => said`removed the setting ${mention('setting', key)}`,
      FlagSet: ({ flag, percent }) => said`set the flag ${mention('flag', flag)} to ${String(percent)} percent`,
      FlagDropped: ({ flag }) => said`dropped the flag ${mention('flag', flag)}`,
    },
  },
})
