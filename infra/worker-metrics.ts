import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ProcessHealth } from '../commands/processes/runner.ts'
import type { StoredEvent } from '../domain/kernel/event.ts'

const STEP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]

type Seen = {
  readonly processes: readonly ProcessHealth[]
  readonly head: bigint
  readonly stuckMs: number
  readonly timersStuck: number
  /** Absent where this worker seals nothing. */
  readonly notary?: { readonly sealed: number; readonly position: bigint; readonly isTroubled: boolean } | undefined
}

/** The metrics of a worker. */
export function workerMetrics(registry: Registry) {
  const registers = [registry]
  const events = new Counter({
    name: 'process_events_total',
    help: 'Events whose steps are done, and steps that failed or were parked',
    labelNames: ['process', 'outcome'],
    registers,
  })
  const latency = new Histogram({
    name: 'process_event_seconds',
    help: 'Time from the command that made an event to the end of the steps that follow from it',
    labelNames: ['process'],
    buckets: STEP_BUCKETS,
    registers,
  })
  return {
    onAttempt: attemptTimes('webhook', 'Time of attempts to deliver an event to a webhook, by outcome', registers),
    onMail: attemptTimes('mail', 'Time of attempts to send an e-mail, by outcome', registers),
    onStep(process: string, outcome: string, event: StoredEvent): void {
      events.inc({ process, outcome })
      if (outcome === 'done')
        latency.observe({ process }, Math.max(0, Date.now() - Date.parse(event.metadata.at)) / 1000)
    },
    onFired: firedTimers(registers),
    /** Lets the metrics show what `look` answers whenever they are asked for. */
    watch(look: () => Seen): void {
      const labelNames = ['process']
      const perProcess = (name: string, help: string, read: (health: ProcessHealth) => number) =>
        new Gauge({
          name,
          help,
          labelNames,
          registers,
          collect() {
            this.reset()
            for (const health of look().processes) this.set({ process: health.process }, read(health))
          },
        })
      perProcess('process_position', 'Position up to which events were taken', ({ position }) => Number(position))
      perProcess('process_events_active', 'Events whose steps are under way', ({ active }) => active)
      perProcess('process_events_waiting', 'Events that wait for a step that failed', ({ waiting }) => waiting)
      perProcess('process_steps_parked', 'Steps that wait for an operator', ({ parked }) => parked)
      const alone = (name: string, help: string, read: (seen: Seen) => number) =>
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read(look()))
          },
        })
      alone('process_head_position', 'Position of the last domain event', ({ head }) => Number(head))
      alone(
        'process_stuck_seconds',
        'How long no event was taken although the log goes on',
        seen => seen.stuckMs / 1000,
      )
      alone('notary_sealed_events', 'Events in the last signed checkpoint', ({ notary }) => notary?.sealed ?? 0)
      alone('notary_sealed_position', 'Position of the last event in it', ({ notary }) =>
        Number(notary?.position ?? 0n),
      )
      alone('notary_troubled', '1 while the log cannot be sealed', ({ notary }) => (notary?.isTroubled ? 1 : 0))
      alone('timers_stuck', 'Timers that failed again and again', ({ timersStuck }) => timersStuck)
    },
  }
}

function firedTimers(registers: Registry[]) {
  const fired = new Counter({ name: 'timers_fired_total', help: 'Timers that have fired', registers })
  const late = new Histogram({
    name: 'timers_late_seconds',
    help: 'How long after its time a timer fired',
    buckets: STEP_BUCKETS,
    registers,
  })
  return (_: unknown, lateMs: number): void => {
    fired.inc()
    late.observe(lateMs / 1000)
  }
}

function attemptTimes(what: string, help: string, registers: Registry[]) {
  const attempts = new Histogram({
    name: `${what}_attempt_seconds`,
    help,
    labelNames: ['outcome'],
    buckets: STEP_BUCKETS,
    registers,
  })
  return (outcome: string, latencyMs: number) => attempts.observe({ outcome }, latencyMs / 1000)
}
