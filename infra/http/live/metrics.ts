import { Counter, Histogram, type Registry } from 'prom-client'

const DELAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10]

/** The metrics of live connections, beside the number of them that are open. */
export function liveMetrics(registry: Registry) {
  const registers = [registry]
  const ended = new Counter({
    name: 'kogi_live_ended_total',
    help: 'Live connections that were ended from this side',
    labelNames: ['reason'],
    registers,
  })
  const delay = new Histogram({
    name: 'kogi_live_delay_seconds',
    help: 'Time from an event to its announcement, once for each event and process',
    buckets: DELAY_BUCKETS,
    registers,
  })
  return {
    onEnd: (reason: string) => ended.inc({ reason }),
    onAnnounced: (delayMs: number) => delay.observe(Math.max(0, delayMs) / 1000),
  }
}
