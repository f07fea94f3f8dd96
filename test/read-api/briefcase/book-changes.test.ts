import { expect } from 'chai'
import { changesBetween } from '../../../read-api/briefcase/book-changes.ts'

const LINES = 3_000
const PARTS = 40

/** A version whose parts have no line in common with those of another one. */
const versionOf = (version: number) => ({
  book: { version },
  parts: Array.from({ length: PARTS }, (_, part) => ({
    part: `part-${part}`,
    kind: 'section',
    content: Array.from({ length: LINES }, (_, line) => `${version} ${part} ${line}`).join('\n'),
  })),
  position: 0n,
})

describe('changes of a book', () => {
  it('have one time for all parts, and are whole without it', () => {
    const begin = process.cpuUsage()
    const { parts, diff } = changesBetween(versionOf(1), versionOf(2), 100)
    const { user, system } = process.cpuUsage(begin)
    expect((user + system) / 1_000, 'ms').to.be.lessThan(2_500)
    for (const { lines_added, lines_removed } of parts)
      expect([lines_added, lines_removed]).to.deep.equal([LINES, LINES])
    expect(diff.match(/^-1 \d+ \d+$/gm)).to.have.length(PARTS * LINES)
    expect(diff.match(/^\+2 \d+ \d+$/gm)).to.have.length(PARTS * LINES)
  })
})
