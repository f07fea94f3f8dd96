import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { StoredEvent } from '../../domain/kernel/event.ts'

const DELAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]

type Seen = { readonly position: bigint | undefined; readonly head: bigint; readonly stuckMs: number }

/** The metrics of a relay. */
export function relayMetrics(registry: Registry) {
  const registers = [registry]
  const events = new Counter({
    name: 'relay_events_total',
    help: 'Events that the event bus has stored, had already, or that nobody can read',
    labelNames: ['outcome'],
    registers,
  })
  const delay = new Histogram({
    name: 'relay_delay_seconds',
    help: 'Time from the command that made an event until the event bus has stored it',
    buckets: DELAY_BUCKETS,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  return {
    onRelayed(outcome: string, { metadata }: StoredEvent): void {
      events.inc({ outcome })
      if (outcome === 'published') delay.observe(Math.max(0, Date.now() - Date.parse(metadata.at)) / 1000)
    },
    /** Lets the metrics show what `look` answers whenever they are asked for. */
    watch(look: () => Seen): void {
      gauge(
        'relay_position',
        'Position of the last event that the event bus has stored; 0 while another relay works',
        () => Number(look().position ?? 0n),
      )
      gauge('relay_head_position', 'Position of the last domain event', () => Number(look().head))
      gauge('relay_stuck_seconds', 'How long nothing was stored although the log goes on', () => look().stuckMs / 1000)
    },
  }
}
