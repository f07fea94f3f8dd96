import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Phrase } from '../../domain/kernel/activity.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { fieldInfo } from '../../domain/kernel/schema.ts'
import { moneyText } from '../../domain/record/currencies.ts'
import { THING } from '../../domain/record/said.ts'
import { aggregates, projections } from '../../infra/catalogue.ts'

type Golden = { readonly type: string; readonly data: object }

const phrases = aggregates.flatMap(({ name, events, activity }) => {
  if (!activity) return []
  const file = new URL(`../golden/${name}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as Golden[]).map(({ type, data }): Phrase => {
    const sentence = activity.on[type]!
    return typeof sentence === 'function' ? sentence(events[type].decode(data)) : sentence
  })
})

/** The compiler sees to it that `activity` has a sentence for every event. */
function gapsOf({ name, activity }: AnyAggregate): string[] {
  if (!activity) return [`${name} has no sentences: say in \`activity\` of its definition what each event means.`]
  const { called } = activity
  if (called === undefined) return []
  const model = projections.find(({ of, key }) => Object.keys(of).join() === name && key.join() === 'org,id')
  const shape = model?.row.shape[called]
  if (shape && model?.history && fieldInfo(shape).column === 'text') return []
  return [`${name} is called by ${called}, which is no text of a read model of it that has versions.`]
}

const shown = (phrase: Phrase) =>
  phrase.map(part => (typeof part === 'string' ? part : part === THING ? 'IT' : `${part.category}:${part.id}`)).join('')

/** What golden events say. */
const SAID = [
  'opened the business wallet IT',
  'opened the account assets:bank (EUR) in the wallet IT',
  'moved 999999999999999999999999999999999999.99 EUR from unspecified (outside) to assets:bank in the wallet IT',
  'posted an entry of 4 postings in the wallet IT',
  'held 0.000000125 BTC in __proto__ of the wallet IT',
  'released 99999999999999999999999999999 minor units of BTC, held in __proto__ of the wallet IT',
  'changed the holder of the wallet IT',
  'set the overdraft of __proto__ (BTC) in the wallet IT to refused',
  'scheduled the transfer IT for 2026-02-28T12:00:00.000Z: 300.00 EUR from the wallet wallet:mira to wallet:ben',
  'released in the wallet wallet:mira what was held too late for the transfer IT',
  'refused the transfer IT (wallet_closed)',
  'added the item IT (app) to the portfolio',
  'moved the item IT from draft to live',
  'added the project IT',
  'created the task IT in the project project:book for Ann Ó',
  'took the task IT from Ann Ó',
  'handed the task IT to the team blue',
  'completed the task IT',
  'changed the note IT',
]

describe('the sentences of events', () => {
  it('are there for every aggregate, which is called by a text of its rows', () => {
    expect(aggregates.flatMap(gapsOf)).to.deep.equal([])
    const { activity, ...silent } = aggregates.find(({ name }) => name === 'item')!
    expect(gapsOf(silent).join()).to.match(/item has no sentences: say in `activity`/)
    expect(gapsOf({ ...silent, activity: { ...activity!, called: 'nick' } }).join()).to.match(/by nick, which is no/)
  })

  it('say in plain words what happened to which thing', () => {
    expect(phrases.map(shown)).to.include.members(SAID)
    for (const phrase of phrases) {
      // What an organization has one of is not named: the sentence names the things in it.
      expect(phrase, shown(phrase)).to.satisfy((parts: Phrase) => parts.some(part => typeof part !== 'string'))
      expect(shown(phrase)).to.match(/^[a-z]+ed |^(took|gave|set|held|froze|unfroze|withdrew|made|put) /)
      expect(shown(phrase)).not.to.match(/undefined|null|\[object/)
    }
  })

  it('give amounts as people read them', () => {
    const texts = [
      moneyText(5n, 'EUR'),
      moneyText(-1234n, 'EUR'),
      moneyText(1234n, 'JPY'),
      moneyText(0n, 'KWD'),
      moneyText(1234n, 'BTC', 8),
      moneyText(1234n, 'BTC'),
    ]
    expect(texts).to.deep.equal([
      '0.05 EUR',
      '-12.34 EUR',
      '1234 JPY',
      '0.000 KWD',
      '0.00001234 BTC',
      '1234 minor units of BTC',
    ])
  })
})
