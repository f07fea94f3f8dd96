/** The leg of concepts: dimensions between two poles (Gärdenfors 2000), on which the words of texts have places. */
import { type Filter, Scores } from '../scores.ts'
import { formsOf } from '../words.ts'
import type { LexicalLeg } from './lexical.ts'
import type { Question } from './question.ts'

/** A dimension, and the words that stand for each of its poles. */
export type Dimension = {
  readonly name: string
  readonly low: readonly string[]
  readonly high: readonly string[]
}

const words = (text: string) => text.split(' ')

/** What work is talked about by; an org may have others. */
export const DIMENSIONS_OF_WORK: readonly Dimension[] = [
  {
    name: 'urgency',
    low: words('someday later eventually unhurried optional irgendwann später algunos luego'),
    high: words('urgent immediately asap overdue critical deadline dringend sofort überfällig urgente inmediato'),
  },
  {
    name: 'cost',
    low: words('cheap inexpensive affordable free discount günstig billig kostenlos barato gratis'),
    high: words('expensive costly pricey overpriced teuer kostspielig caro costoso'),
  },
  {
    name: 'progress',
    low: words('blocked stuck delayed postponed stalled blockiert verzögert bloqueado retrasado'),
    high: words('done finished completed delivered shipped erledigt fertig abgeschlossen terminado entregado'),
  },
  {
    name: 'judgement',
    low: words('bad poor terrible disappointing complaint unhappy schlecht enttäuschend malo decepcionante'),
    high: words('good great excellent happy praise satisfied gut hervorragend zufrieden bueno excelente'),
  },
  {
    name: 'risk',
    low: words('safe secure certain reliable sicher zuverlässig seguro fiable'),
    high: words('risky dangerous uncertain hazard threat riskant gefährlich peligroso arriesgado'),
  },
  {
    name: 'size',
    low: words('small tiny minor little klein gering pequeño menor'),
    high: words('large huge big major groß riesig grande enorme'),
  },
]

/** A dimension that a query mentions, and where on it the query stands, from -1 to 1. */
export type Mentioned = { readonly dimension: Dimension; readonly at: number }

/** How fast a memory that is away from the query on its dimensions loses: exp(-c · distance). */
const C = 1.5

/** The dimensions that a query mentions by one of their words. */
export function mentionedIn({ words: asked }: Question, dimensions: readonly Dimension[]): Mentioned[] {
  const forms = new Set(asked.flatMap(word => word.forms))
  const has = (pole: readonly string[]) => pole.some(word => formsOf(word).some(form => forms.has(form)))
  return dimensions.flatMap(dimension => {
    const [low, high] = [has(dimension.low), has(dimension.high)]
    return low || high ? [{ dimension, at: Number(high) - Number(low) }] : []
  })
}

/** Scores the memories with a word of a mentioned dimension: 1 where they stand with the query, less away from it. */
export function conceptScores(mentioned: readonly Mentioned[], leg: LexicalLeg, filter: Filter): Scores {
  const scores = new Scores()
  if (mentioned.length === 0) return scores
  scores.reset(leg.end)
  const counts = mentioned.map(({ dimension: { low, high } }) =>
    [low, high].map(pole => countsOf(pole, leg, filter, scores)),
  )
  for (const number of scores.numbers()) {
    let squares = 0
    for (const [n, { at }] of mentioned.entries()) {
      const [few, many] = [counts[n]![0]![number]!, counts[n]![1]![number]!]
      // The more of its words a memory has, the nearer it is to one of the poles.
      squares += ((many - few) / (many + few + 1) - at) ** 2
    }
    scores.values[number] = Math.exp(-C * Math.sqrt(squares / mentioned.length))
  }
  return scores
}

/**
 * How many words of a pole each memory has, weighted, and notes which memories these are; each list is counted once,
 * whichever words lead to it.
 */
function countsOf(pole: readonly string[], leg: LexicalLeg, filter: Filter, scores: Scores): Uint32Array {
  const lists = new Map(
    pole
      .flatMap(formsOf)
      .flatMap(form => leg.listsOf(form))
      .map(list => [`${list[0].language}/${list[1]}`, list]),
  )
  const found = new Uint32Array(leg.end)
  for (const [{ postings }, list] of lists.values()) {
    const { items, counts } = postings
    const end = postings.startOf(list) + postings.lengthOf(list)
    for (let at = postings.startOf(list); at < end; at += 1) {
      const number = items[at]!
      if (filter && filter.open[filter.kinds[number]!] === 0) continue
      found[number] = found[number]! + counts[at]!
      if (scores.values[number] === 0) scores.gain(number, 1)
    }
  }
  return found
}
