/** Whether the rules could have made a history: each thing's events are folded by the rules' own `evolve`. */
import { type AnyAggregate, evolveWith } from '../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import type { Laws, Unlawful } from '../../domain/kernel/laws.ts'
import { AuditFault, EVENTS } from './bundle.ts'

export type History = {
  readonly aggregates: readonly AnyAggregate[]
  /** What must hold beside what `evolve` asserts, by category. */
  // biome-ignore lint/suspicious/noExplicitAny: laws of states of any kind, as the list of aggregates has them
  readonly laws: Readonly<Record<string, Laws<any>>>
  /** Hears after the last event of how many things not all events were folded. */
  readonly onEnd?: (unfolded: number) => void
}

/** A thing and the events of its last command, which are not judged yet. */
type Thing = {
  state: unknown
  before: unknown
  events: DomainEvent[]
  line: number
}

/** Takes the events of an export in their order. A thing is left out from its first missing or unreadable event on. */
export function historyChecker({ aggregates, laws, onEnd }: History) {
  const byName = new Map(aggregates.map(aggregate => [aggregate.name, aggregate]))
  const things = new Map<string, Thing | 'unknown'>()
  const refuse = ({ code, message }: Unlawful, event: DomainEvent, line: number): never => {
    const said = `The rules do not make this ${event.type} of what came before: ${message}.`
    throw new AuditFault(code, said, { file: EVENTS, line })
  }
  const judge = ({ before, state, events, line }: Thing) => {
    const last = events.at(-1)
    const broken = last && laws[last.category]?.ofCommand(before, state, events)
    if (broken) refuse(broken, last, line)
  }
  return {
    add(stream: string, event: DomainEvent | undefined, line: number): void {
      const known = things.get(stream)
      if (known === 'unknown') return
      if (event === undefined) {
        if (known) judge(known)
        things.set(stream, 'unknown')
        return
      }
      const aggregate = byName.get(event.category)!
      const law = laws[event.category]
      const thing: Thing = known ?? { state: aggregate.initial, before: aggregate.initial, events: [], line }
      if (!known) things.set(stream, thing)
      if (law && thing.events[0]?.metadata.commandId !== event.metadata.commandId) {
        judge(thing)
        thing.before = thing.state
        thing.events = []
      }
      const broken = law?.ofEvent(thing.state, event)
      if (broken) refuse(broken, event, line)
      try {
        thing.state = evolveWith(aggregate, thing.state, event)
      } catch (error) {
        refuse({ code: 'rules_broken', message: (error as Error).message }, event, line)
      }
      if (law) thing.events.push(event)
      thing.line = line
    },
    /** To be called after the last event. */
    end(): void {
      let unfolded = 0
      for (const thing of things.values()) {
        if (thing === 'unknown') unfolded += 1
        else judge(thing)
      }
      onEnd?.(unfolded)
    },
  }
}
