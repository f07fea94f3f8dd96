import { execFile, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const run = promisify(execFile)
const EACH = 250

const two = (number: number) => String(number).padStart(2, '0')
const eventFile = (uid: string, title: string, day: number) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260101T000000Z',
    `SUMMARY:${title}`,
    `DTSTART;TZID=Europe/Berlin:2026${two(1 + (day % 12))}${two(1 + (day % 28))}T090000`,
    'DURATION:PT45M',
    ...(day % 5 === 0 ? ['RRULE:FREQ=WEEKLY;COUNT=10', 'X-COLOUR:blue'] : []),
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
const card = (uid: string, name: string) =>
  `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nN:;${name};;;\r\nEMAIL;TYPE=work:${uid}@example.org\r\nEND:VCARD\r\n`

describe('CalDAV and CardDAV, as vdirsyncer uses them', () => {
  const has = spawnSync('vdirsyncer', ['--version']).status === 0
  let app: App
  let mira: Client
  let folder: string

  before(async function () {
    if (!has) {
      console.log('    skipped: vdirsyncer is not installed')
      this.skip()
    }
    app = await startApp()
    mira = await app.clientOf('atlas', 'team-member', 'mira')
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-dav-'))
    const password = await issueToken(app.config, {
      org: 'atlas',
      subject: 'mira',
      roles: ['team-member'],
      ttlSeconds: 3_600,
    })
    const pair = (name: string, type: string, tree: string, ending: string, collections: string) =>
      `[pair ${name}]\na = "${name}_files"\nb = "${name}_kogi"\ncollections = ${collections}\n` +
      `conflict_resolution = "b wins"\n` +
      `[storage ${name}_files]\ntype = "filesystem"\npath = "${folder}/${tree}"\nfileext = "${ending}"\n` +
      `[storage ${name}_kogi]\ntype = "${type}"\nurl = "${app.url}/"\nusername = "mira"\npassword = "${password}"\n`
    const config =
      `[general]\nstatus_path = "${folder}/status"\n` +
      pair('events', 'caldav', 'events', '.ics', '["prints"]') +
      pair('people', 'carddav', 'people', '.vcf', '["clients"]')
    await writeFile(path.join(folder, 'config'), config)
    await mkdir(path.join(folder, 'events/prints'), { recursive: true })
    await mkdir(path.join(folder, 'people/clients'), { recursive: true })
  })
  after(async () => {
    await app?.close()
    if (folder) await rm(folder, { recursive: true })
  })

  const vdirsyncer = async (...args: string[]) => {
    const options = { env: { ...process.env, VDIRSYNCER_CONFIG: path.join(folder, 'config') }, maxBuffer: 1e8 }
    const { stdout, stderr } = await run('vdirsyncer', args, options)
    return stdout + stderr
  }
  const post = async (url: string, body: object) => {
    const answer = await mira.call('POST', `/api/v1/koff${url}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 201)
    return answer
  }
  const files = async (place: string) => {
    const names = await readdir(path.join(folder, place))
    return Promise.all(names.map(name => readFile(path.join(folder, place, name), 'utf8')))
  }
  const titles = async (list: string): Promise<readonly string[]> => {
    const found: string[] = []
    for (let after = ''; ; ) {
      const { body } = await mira.call('GET', `/api/v1/koff/${list}?limit=500${after && `&after=${after}`}`)
      found.push(...body.data.map((row: Record<string, string>) => row.title ?? row.name))
      after = body.pagination.next ?? ''
      if (after === '') return found.toSorted()
    }
  }

  it('brings 500 events together from both sides, and then an edit of each side to the other', async () => {
    await post('/calendars', { id: 'prints', name: 'Prints' })
    const inside = Array.from({ length: EACH }, (_, n) => eventFile(`kogi-${n}`, `Kogi ${n}`, n))
    const whole = inside.map(text => text.split('\r\n').slice(3, -2).join('\r\n'))
    await post('/calendars/prints/ics', { content: ['BEGIN:VCALENDAR', ...whole, 'END:VCALENDAR'].join('\r\n') })
    for (let n = 0; n < EACH; n += 1) {
      await writeFile(path.join(folder, `events/prints/file-${n}.ics`), eventFile(`file-${n}`, `File ${n}`, n))
    }
    await vdirsyncer('discover', 'events')
    await vdirsyncer('sync', 'events')
    expect(await files('events/prints')).to.have.length(2 * EACH)
    expect(await titles('calendar-events')).to.have.length(2 * EACH)

    const own = path.join(folder, 'events/prints/file-7.ics')
    await writeFile(own, (await readFile(own, 'utf8')).replace(/SUMMARY:.*/, 'SUMMARY:Edited in a file'))
    const { body } = await mira.call('GET', '/api/v1/koff/calendar-events?uid=kogi-5')
    const { id } = body.data[0]
    const patched = await mira.call('PATCH', `/api/v1/koff/calendar-events/${id}`, { body: { title: 'Edited here' } })
    await mira.call('GET', '/api/v1/koff/calendar-events?limit=1', {
      headers: { 'Kogi-Min-Position': String(patched.headers['kogi-position']) },
    })
    await vdirsyncer('sync', 'events')
    expect((await titles('calendar-events')).filter(title => title.startsWith('Edited'))).to.deep.equal([
      'Edited here',
      'Edited in a file',
    ])
    const edited = (await files('events/prints')).filter(text => text.includes('SUMMARY:Edited'))
    expect(edited).to.have.length(2)
    expect(edited.join('')).to.include('RRULE:FREQ=WEEKLY;COUNT=10').and.include('X-COLOUR:blue')

    const again = await vdirsyncer('sync', 'events')
    expect(again).not.to.match(/Copying|Deleting/)
    await rm(own)
    await vdirsyncer('sync', 'events')
    expect(await titles('calendar-events')).to.have.length(2 * EACH - 1)
  })

  it('brings contacts together', async () => {
    await post('/contact-books', { id: 'clients', name: 'Clients' })
    await post('/contact-books/clients/vcards', { content: card('ada', 'Ada') })
    await writeFile(path.join(folder, 'people/clients/ben.vcf'), card('ben', 'Ben'))
    await vdirsyncer('discover', 'people')
    await vdirsyncer('sync', 'people')
    expect(await titles('contacts')).to.deep.equal(['Ada', 'Ben'])
    expect(await files('people/clients')).to.have.length(2)
    expect(await vdirsyncer('sync', 'people')).not.to.match(/Copying|Deleting/)
  })
})
