/** An independent reading of a log of transfers: what must hold at every position, and at the end. */
import { expect } from 'chai'
import type { DomainEvent } from '../../../domain/kernel/event.ts'

type Posting = { readonly account: string; readonly currency: string; readonly amount: bigint }
type Course = {
  readonly amount: bigint
  held: number
  credited: number
  captured: number
  released: number
  ends: number
}

const ENDS = new Set([
  'TransferCompleted',
  'TransferRefused',
  'TransferTimedOut',
  'TransferCancelled',
  'TransferDeclined',
])
const isTransfer = (account: string) => account.startsWith('external:wallet:')

/**
 * Reads the events of one currency in order. After each of them all balances together must be what came from outside,
 * and what is credited already and not yet captured. Returns the course of each transfer by its stream.
 */
export function readBooks(events: readonly DomainEvent[]): ReadonlyMap<string, Course> {
  const courses = new Map<string, Course>()
  const streams = new Map<string, string>()
  let [balances, outside, underway] = [0n, 0n, 0n]
  for (const event of events) {
    const data = event.data as Record<string, never>
    if (event.category === 'transfer') {
      streams.set(event.eventId, event.stream)
      if (event.type === 'TransferRequested') {
        courses.set(event.stream, { amount: data.amount!, held: 0, credited: 0, captured: 0, released: 0, ends: 0 })
      }
      const course = courses.get(event.stream)
      if (course && ENDS.has(event.type)) course.ends += 1
      continue
    }
    const cause = streams.get(event.metadata.$causationId)
    const course = cause === undefined ? undefined : courses.get(cause)
    if (event.type === 'FundsHeld') course!.held += 1
    if (event.type === 'HoldReleased') course!.released += 1
    if (event.type !== 'EntryPosted') continue
    const postings = (data as unknown as { postings: readonly Posting[] }).postings
    const own = postings.filter(({ account }) => !account.startsWith('external:'))
    const sum = own.reduce((total, { amount }) => total + amount, 0n)
    balances += sum
    if (!postings.some(({ account }) => isTransfer(account))) outside += sum
    else {
      underway += sum
      if (sum > 0n) course!.credited += 1
      else course!.captured += 1
      expect(sum < 0n ? -sum : sum, 'an entry is of the amount').to.equal(course!.amount)
      if (sum < 0n) expect(course!.credited, 'captured before it was credited').to.equal(1)
    }
    expect(balances - underway, `money at position ${event.position}`).to.equal(outside)
    expect(underway >= 0n, `more was captured than credited at position ${event.position}`).to.equal(true)
  }
  expect(underway, 'money on its way at the end').to.equal(0n)
  return courses
}

/** Every transfer has ended once, and what was held was captured, or let go, once. */
export function expectEnded(courses: ReadonlyMap<string, Course>): void {
  for (const [stream, { held, credited, captured, released, ends }] of courses) {
    const course = JSON.stringify({ stream, held, credited, captured, released, ends })
    expect(ends, course).to.equal(1)
    expect(held, course).to.be.at.most(1)
    expect(captured + released, course).to.equal(held)
    expect(credited, course).to.equal(captured)
  }
}
