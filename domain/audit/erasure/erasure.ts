import type { Mention } from '../../kernel/activity.ts'
import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { mention, said } from '../../record/said.ts'
import { ownKeyOf, thingOfKey } from '../../record/subject.ts'
import { commands, events, rejections } from './messages.ts'

/** The erased subjects of an org, each with how far its erasure is, and the matters that others are held for. */
export type Erasures = {
  readonly status: 'kept'
  readonly subjects: Keyed<'erased' | 'completed'>
  readonly held: Keyed<readonly string[]>
}

/** Matters that one person can be held for at once. */
const MATTERS_MAX = 100

const evolve: Evolve<Erasures, typeof events> = {
  SubjectErased: (all, { subject }) => ({ ...all, subjects: withMember(all.subjects, subject, 'erased') }),
  ErasureCompleted: (all, { subject }) => ({ ...all, subjects: withMember(all.subjects, subject, 'completed') }),
  LegalHoldPlaced: (all, { subject, matter }) => ({
    ...all,
    held: withMember(all.held, subject, [...mattersOf(all, subject), matter]),
  }),
  LegalHoldLifted(all, { subject, matter }) {
    const left = mattersOf(all, subject).filter(each => each !== matter)
    return {
      ...all,
      held: left.length > 0 ? withMember(all.held, subject, left) : withoutMember(all.held, subject),
    }
  },
}

const decide: Decide<Erasures, typeof commands, typeof events> = {
  erase(all, { subject, basis, reason }, { actor }) {
    if (subject === actor) {
      throw rejected('erasure_own', 'Somebody else must erase your personal data: you could not see that it is done.')
    }
    if (thingOfKey(subject)) {
      throw rejected('erasure_of_thing', 'This is the key of one thing: forget that, and its key goes with it.')
    }
    if (memberOf(all.subjects, subject) !== undefined) return []
    const [matter] = mattersOf(all, subject)
    if (matter !== undefined) {
      throw rejected('legal_hold', 'The data of this person is under legal hold: lift that first.', { matter })
    }
    return [{ type: 'SubjectErased', data: { subject, basis, reason } }]
  },
  complete: ({ subjects }, { erased }) =>
    erased
      .filter(({ subject }) => memberOf(subjects, subject) === 'erased')
      .map(data => ({ type: 'ErasureCompleted', data })),
  retire: (all, { due }) =>
    due
      .filter(({ subject }) => memberOf(all.subjects, subject) === undefined && mattersOf(all, subject).length === 0)
      .map(({ subject, reason }) => ({ type: 'SubjectErased', data: { subject, basis: 'no_longer_needed', reason } })),
  forget({ subjects }, { category, thing, reason }) {
    const subject = ownKeyOf(category, thing)
    if (memberOf(subjects, subject) !== undefined) return []
    return [{ type: 'SubjectErased', data: { subject, basis: 'no_longer_needed', reason } }]
  },
  hold(all, { subject, matter, reason }) {
    const matters = mattersOf(all, subject)
    if (matters.includes(matter)) return []
    if (memberOf(all.subjects, subject) !== undefined) {
      throw rejected('erased_already', 'The data of this person was erased: there is nothing to hold.')
    }
    if (matters.length >= MATTERS_MAX) {
      throw rejected('too_many_holds', 'Lift a hold of this person that has ended first.', { most: MATTERS_MAX })
    }
    return [{ type: 'LegalHoldPlaced', data: { subject, matter, reason } }]
  },
  lift: (all, { subject, matter, reason }) =>
    mattersOf(all, subject).includes(matter) ? [{ type: 'LegalHoldLifted', data: { subject, matter, reason } }] : [],
}

const mattersOf = ({ held }: Erasures, subject: string): readonly string[] => memberOf(held, subject) ?? []

/** Whose data it is, for a sentence: a person's, or that of a thing with a key of its own. */
function whose(subject: string): Mention {
  const { category, id } = thingOfKey(subject) ?? { category: 'inbox', id: subject }
  return mention(category, id)
}

/**
 * Which persons' data were erased, and why, and whose may not be. All of an org stand in one stream, which every
 * process that opens personal data reads: what it names is erased, whatever a database of keys says. Erasures and holds
 * are decided one after the other there, so that nobody is erased who is held.
 */
export const erasure = aggregate({
  name: 'erasure',
  only: 'erasures',
  events,
  commands,
  api: {
    erase: [
      'POST /erasures',
      'erasures.write',
      "Erase a person's data for good: the key that it is sealed under is destroyed, and their files are removed.",
    ],
    complete: 'internal',
    retire: 'internal',
    forget: 'internal',
    hold: [
      'POST /legal-holds',
      'legal-holds.write',
      "Hold a person's data for a matter: until that is lifted nobody erases it, and no retention rule does.",
    ],
    lift: ['POST /legal-holds/:subject/lift', 'legal-holds.write', 'Lift the legal hold of a person for a matter.'],
  },
  rejections,
  initial: { status: 'kept', subjects: noneKeyed, held: noneKeyed } as Erasures,
  evolve,
  decide,
  stateSchema: 2,
  activity: {
    on: {
      SubjectErased: ({ subject }) => said`erased the personal data of ${whose(subject)}`,
      ErasureCompleted: ({ subject }) => said`completed the erasure of the data of ${whose(subject)}`,
      LegalHoldPlaced: ({ subject, matter }) => said`held the data of ${mention('inbox', subject)} for ${matter}`,
      LegalHoldLifted: ({ subject, matter }) => said`lifted the hold of ${mention('inbox', subject)} for ${matter}`,
    },
  },
})
