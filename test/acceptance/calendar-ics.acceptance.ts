import { expect } from 'chai'
import { localOf, occurrencesOf, type Timed } from '../../domain/office/calendarevent/expand.ts'
import { eventsIn } from '../../domain/office/calendarevent/ics.ts'
import { calendarText } from '../../domain/office/calendarevent/ics-text.ts'
import { localText } from '../../domain/time/civil.ts'
import { checksum, dataSet } from './data-sets.ts'

type File = { readonly file: string; readonly from: string; readonly to: string; readonly status: string }

const day = (text: string) => localOf(text.replace(/(....)(..)(..)/, '$1-$2-$3'))
const compact = (seconds: number) => localText(seconds).replaceAll(/[-:]/g, '')

/** The starts of a file's events in its window: days, instants with a Z, and times by any clock without one. */
function startsOf(events: readonly Timed[], { from, to }: File): readonly string[] {
  const effort = { left: 1_000_000 }
  const starts = events.flatMap(event =>
    occurrencesOf(event, day(from), day(to), 'UTC', effort)
      .filter(({ start }) => start >= day(from))
      .map(({ start, starts }) => {
        if (starts.length === 10) return starts.replaceAll('-', '')
        return event.zone ? `${compact(start)}Z` : compact(start)
      }),
  )
  return starts.toSorted()
}

describe('calendar_ics: iCalendar files of four parsers', function () {
  const set = dataSet(this, 'calendar_ics', 'expected.csv', 'occurrences.csv')
  const files = (): readonly File[] =>
    set
      .text('expected.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map(line => {
        const [file, , from, to, , status] = line.split(',')
        return { file: file!, from: from!, to: to!, status: status! }
      })
  const read = ({ file }: File) => eventsIn(set.text(`files/${file}`))

  it('has every start of the proved files and no other', () => {
    const expected = new Map<string, string[]>()
    for (const line of set.text('occurrences.csv').trim().split('\n').slice(1)) {
      const [file, , start] = line.split(',')
      expected.set(file!, [...(expected.get(file!) ?? []), start!])
    }
    const lines: string[] = []
    const wrong: string[] = []
    for (const file of files().filter(({ status }) => status === 'proved')) {
      const starts = startsOf(
        read(file).events.map(({ fields }) => fields),
        file,
      )
      for (const [n, start] of starts.entries())
        lines.push(`${file.file}#${String(n + 1).padStart(5, '0')}:${start},${n + 1}`)
      const other = (expected.get(file.file) ?? []).toSorted()
      if (String(other) !== String(starts))
        wrong.push(`${file.file}: ${other.slice(0, 8)} is ${starts.slice(0, 8)} (${other.length}, ${starts.length})`)
    }
    expect(wrong).to.deep.equal([])
    expect(lines).to.have.length(set.oracle.occurrences_proved)
    expect(checksum(lines)).to.equal(set.oracle.sha256_proved)
  })

  it('says of a malformed file what is wrong, with the line', () => {
    const malformed = files().filter(({ status }) => status.startsWith('refused'))
    const silent = malformed.filter(file => !read(file).faults.some(({ line, message }) => line > 0 && message !== ''))
    expect(silent.map(({ file }) => file)).to.deep.equal([])
  })

  it('writes each proved file so that it means the same', () => {
    for (const file of files().filter(({ status }) => status === 'proved')) {
      const events = read(file).events.map(({ fields }) => fields)
      const rows = events.map((fields, n) => ({
        status: 'confirmed',
        ...fields,
        id: `e${n}`,
        updated_at: '2026-01-01T00:00:00.000Z',
      }))
      const again = eventsIn(calendarText(rows as never))
      expect(
        startsOf(
          again.events.map(({ fields }) => fields),
          file,
        ),
        file.file,
      ).to.deep.equal(startsOf(events, file))
    }
  })
})
