/**
 * Erases persons whose data no retention rule keeps any longer. A person has one key, so that all of their data goes at
 * once: when the rules of all categories in which they have some say so. Holds are asked where erasures are decided.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import { erasure } from '../../domain/audit/erasure/erasure.ts'
import { Faults } from '../faults.ts'
import { give } from '../things.ts'
import type { ErasureRows } from './rows.ts'

/** Persons of one command: others append to the same stream meanwhile. */
const AT_ONCE = 100

type RetireDeps = WriteDeps & {
  readonly rows: Pick<ErasureRows, 'due'>
  /** The position of the last event in the log. */
  readonly head: (signal?: AbortSignal) => Promise<bigint>
}

/** Looks once; one org that fails holds up no other. */
export async function retire(deps: RetireDeps, signal?: AbortSignal): Promise<void> {
  const due = await deps.rows.due(deps.now(), await deps.head(signal))
  const faults = new Faults()
  for (const org of new Set(due.map(each => each.org))) {
    const persons = due.filter(each => each.org === org)
    for (let at = 0; at < persons.length && !signal?.aborted; at += AT_ONCE) {
      const body = {
        due: persons.slice(at, at + AT_ONCE).map(({ subject, rules }) => ({
          subject,
          reason: `The retention rules keep it no longer: ${rules}`.slice(0, 1_000),
        })),
      }
      const given = { by: 'retention', name: 'retire', body, part: JSON.stringify([body, deps.now().slice(0, 10)]) }
      await faults.of(() => give(deps, erasure, { org, id: erasure.only! }, given))
    }
  }
  faults.throwFirst()
}
