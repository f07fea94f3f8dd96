/** The periods of calendar queries (RFC 4791, section 9.9). */
import { occurrencesOf, type Timed, TooMuch } from '../../domain/office/calendarevent/expand.ts'
import { secondsOf } from '../../domain/time/civil.ts'
import type { Element } from '../../domain/wallet/statement/camt.ts'

/** Whether an event has an occurrence in a period; one that cannot be told has. */
export function isWithin(event: Timed, { attributes: { start, end } }: Element): boolean {
  const at = (text: string | undefined, other: number) => {
    const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '')
    return parts
      ? (secondsOf(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}`) ?? other)
      : other
  }
  const [from, to] = [at(start, 0), at(end, FAR)]
  try {
    return occurrencesOf(event, from, Math.min(to, from + YEARS), 'UTC', { left: 20_000 }).length > 0
  } catch (error) {
    if (error instanceof TooMuch) return true
    throw error
  }
}

const FAR = 253_402_300_799
const YEARS = 10 * 366 * 86_400
