/** 100,000 events of calendars, expanded over a month. */
import { localText, secondsOf } from '../../domain/time/civil.ts'
import { expanded } from '../../read-api/office/expanding.ts'
import { alone, type Figure, median } from './figure.ts'

const EVENTS = 100_000
const ROUNDS = 7
const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'UTC']
const RULES = ['FREQ=WEEKLY;BYDAY=MO,WE', 'FREQ=MONTHLY;BYDAY=-1FR', 'FREQ=DAILY;INTERVAL=3', 'FREQ=YEARLY']

/** One event in ten recurs without an end; the others are spread over two years. */
const events = Array.from({ length: EVENTS }, (_, n) => {
  const begins = secondsOf('2025-06-01T07:00:00')! + ((n * 7_919) % (730 * 24)) * 3_600
  const starts = localText(begins)
  const ends = localText(begins + 2_700)
  return {
    starts,
    ends,
    zone: ZONES[n % ZONES.length]!,
    ...(n % 10 === 0 && { rule: RULES[(n / 10) % RULES.length]! }),
  }
})

/** The median time that a month takes. */
export async function calendarBench(): Promise<readonly Figure[]> {
  const window = { from: secondsOf('2026-06-01T00:00:00')!, to: secondsOf('2026-07-01T00:00:00')!, zone: 'UTC' }
  const [times, cpu]: [number[], number[]] = [[], []]
  let found = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const [started, used] = [performance.now(), process.cpuUsage()]
    found = (await expanded(events, window)).length
    times.push(performance.now() - started)
    const { user, system } = process.cpuUsage(used)
    cpu.push((user + system) / 1_000)
  }
  return [
    alone(`month_of_${EVENTS}_events_p50`, median(times), 'ms'),
    alone(`month_of_${EVENTS}_events_cpu`, median(cpu), 'ms'),
    alone(`month_of_${EVENTS}_events_found`, found, 'occurrences'),
  ]
}
