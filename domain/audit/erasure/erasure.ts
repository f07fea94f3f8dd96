import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { mention, said } from '../../record/said.ts'
import { commands, events, rejections } from './messages.ts'

/** The erased subjects of an org, each with how far its erasure is. */
export type Erasures = {
  readonly status: 'kept'
  readonly subjects: Keyed<'erased' | 'completed'>
}

const evolve: Evolve<Erasures, typeof events> = {
  SubjectErased: ({ status, subjects }, { subject }) => ({ status, subjects: withMember(subjects, subject, 'erased') }),
  ErasureCompleted: ({ status, subjects }, { subject }) => ({
    status,
    subjects: withMember(subjects, subject, 'completed'),
  }),
}

const decide: Decide<Erasures, typeof commands, typeof events> = {
  erase({ subjects }, { subject, basis, reason }, { actor }) {
    if (subject === actor) {
      throw rejected('erasure_own', 'Somebody else must erase your personal data: you could not see that it is done.')
    }
    return memberOf(subjects, subject) === undefined
      ? [{ type: 'SubjectErased', data: { subject, basis, reason } }]
      : []
  },
  complete: ({ subjects }, { erased }) =>
    erased
      .filter(({ subject }) => memberOf(subjects, subject) === 'erased')
      .map(data => ({ type: 'ErasureCompleted', data })),
}

/**
 * Which persons' data were erased, and why. All of an org stand in one stream, which every process that opens personal
 * data reads: what it names is erased, whatever a database of keys says.
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
  },
  rejections,
  initial: { status: 'kept', subjects: noneKeyed } as Erasures,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      SubjectErased: ({ subject }) => said`erased the personal data of ${mention('inbox', subject)}`,
      ErasureCompleted: ({ subject }) => said`completed the erasure of the data of ${mention('inbox', subject)}`,
    },
  },
})
