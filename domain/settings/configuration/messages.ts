/** The storage and wire contract of the settings and flags of an organization: add, never rename. */
import { integer, list, object, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { flagName, settingKey, settingValue } from '../../record/settings.ts'
import { personName, subjectName } from '../../record/subject.ts'

const user = subjectName.meta({ description: 'whose setting it is; that of the organization where it is left out' })
const percent = integer(0, 100).meta({ description: 'share of all users for whom it is on' })
const users = list(personName, 1_000).default([]).meta({ description: 'users for whom it is on in any case' })
const why = { reason: reason.optional() }

export const events = {
  SettingSet: object({ key: settingKey, value: settingValue, user: user.optional(), ...why }),
  SettingUnset: object({ key: settingKey, user: user.optional(), ...why }),
  FlagSet: object({ flag: flagName, percent, users, description: text(500).optional(), ...why }),
  FlagDropped: object({ flag: flagName, ...why }),
} as const

export const commands = {
  set: object({ key: settingKey, value: settingValue, ...why }).meta({
    examples: [{ key: 'locale', value: 'de', reason: 'All of us speak it.' }],
  }),
  unset: object({ key: settingKey, ...why }).meta({ examples: [{ key: 'locale' }] }),
  setOwn: object({ key: settingKey, value: settingValue }).meta({ examples: [{ key: 'theme', value: 'dark' }] }),
  unsetOwn: object({ key: settingKey }).meta({ examples: [{ key: 'theme' }] }),
  setFlag: object({ flag: flagName, percent, users, description: text(500).optional(), ...why }).meta({
    examples: [{ flag: 'new-dashboard', percent: 10, users: ['mira'], reason: 'We try it.' }],
  }),
  dropFlag: object({ flag: flagName, ...why }).meta({ examples: [{ flag: 'new-dashboard' }] }),
} as const

export const rejections = ['setting_unknown', 'setting_not_here', 'setting_invalid', 'configuration_full'] as const
