/** An export that was ended at any point goes on where its files end, and is the same as one in a single run. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Selection } from '../../read-api/audit/selection.ts'
import type { EventOptions } from '../../read-api/audit/write-events.ts'
import { writeEvents } from '../../read-api/audit/write-events.ts'
import { books, inFolder, stored } from './support.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 500 : 25

describe('an export that goes on', () => {
  const history = books(40)
  const options = (note: string, more: Partial<EventOptions>): EventOptions => ({
    events: async function* events(after) {
      for await (const batch of stored(history)) {
        const rest = batch.filter(({ position }) => position > after)
        if (rest.length > 0) yield rest
      }
    },
    head: history.position,
    org: 'north',
    skips: [],
    note,
    noteMs: 0,
    ...more,
  })
  const filesOf = (folder: string) =>
    Promise.all(['events.ndjson', 'events.sha256'].map(name => readFile(path.join(folder, name), 'utf8')))

  it('has the same bytes and counts, however often it was ended, and whatever was written after the note', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ after: fc.nat(15), more: fc.constantFrom('', 'half a line', 'a\nb\n') }), {
          maxLength: 4,
        }),
        fc.constantFrom<Selection | undefined>(undefined, { categories: ['task'] }),
        (ends, selection) =>
          inFolder(async folder => {
            const note = path.join(folder, 'note')
            for (const { after, more } of ends) {
              let left = after
              const onProgress = () => {
                left -= 1
                if (left < 0) throw new Error('ended')
              }
              const ended = await writeEvents(folder, options(note, { selection, onProgress })).catch(error => error)
              if (!(ended instanceof Error)) break
              await writeFile(path.join(folder, 'events.ndjson'), more, { flag: 'a' })
            }
            const content = await writeEvents(folder, options(note, { selection }))
            const files = await filesOf(folder)
            await rm(note, { force: true })
            const whole = await writeEvents(folder, options(note, { selection }))
            expect(content).to.deep.equal(whole)
            expect(files).to.deep.equal(await filesOf(folder))
          }),
      ),
      { numRuns: RUNS },
    )).timeout(600_000)

  it('knows of what was decided to be skipped while it waited', () =>
    inFolder(async folder => {
      const note = path.join(folder, 'note')
      let lists = 0
      const onProgress = () => {
        lists += 1
        if (lists > 3) throw new Error('ended')
      }
      await writeEvents(folder, options(note, { onProgress })).catch(() => {})
      const [first] = history.events.filter(({ metadata }) => metadata.org === 'north')
      const at = '2026-01-01T00:00:00.000Z'
      const skips = [{ projection: 'tasks', position: first!.position, reason: 'broken', actor: 'op', at }]
      expect((await writeEvents(folder, options(note, { skips }))).skips).to.deep.equal(skips)
    }))

  it('begins anew where the note is cut short, or a file is shorter than it says', () =>
    inFolder(async folder => {
      const note = path.join(folder, 'note')
      const whole = await writeEvents(folder, options(note, {}))
      const before = await filesOf(folder)
      await writeFile(note, '{"position":"5')
      expect(await writeEvents(folder, options(note, {}))).to.deep.equal(whole)
      await writeFile(path.join(folder, 'events.ndjson'), '')
      expect(await writeEvents(folder, options(note, {}))).to.deep.equal(whole)
      expect(await filesOf(folder)).to.deep.equal(before)
    }))
})
