import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { writeDecision } from '../../../commands/processes/decisions.ts'
import { process, type Refusal, step } from '../../../commands/processes/process.ts'
import { item } from '../../../domain/briefcase/item/item.ts'
import { KogiError } from '../../../domain/kernel/errors.ts'
import { note } from '../../../domain/office/note/note.ts'
import { type Send, startProcess } from '../support.ts'
import { allEvents, processStore, type RunningProcesses, runProcess, until } from './support.ts'

/** A note for every item: `note-<item>`. A renamed item gives its note another title. */
const notesOf = (name: string, mayBeRefused: boolean) =>
  process({
    name,
    of: { item: item.events },
    on: {
      ItemAdded({ data, metadata: { id } }) {
        const refused = mayBeRefused ? ({ code }: Refusal) => step(item, 'update', id, { name: code }) : undefined
        return [
          step(note, 'add', `note-${id}`, { title: data.name, tags: [] }, refused),
          step(note, 'change', `note-${id}`, { tags: ['made'] }),
        ]
      },
      ItemUpdated: ({ data, metadata: { id } }) =>
        data.name ? [step(note, 'change', `note-${id}`, { title: data.name })] : [],
      ItemStatusChanged: null,
      ItemArchived: null,
      ItemRestored: null,
      ItemValued: null,
      ItemValueWithdrawn: null,
      ItemShared: null,
      ItemUnshared: null,
      ItemEditingSet: null,
      ItemPrivacySet: null,
      ItemPlacementRefused: null,
    },
  })

describe('a process', () => {
  const store = processStore()
  const running: RunningProcesses[] = []
  const run = (...args: Parameters<typeof runProcess> extends [unknown, ...infer R] ? R : never) => {
    const begun = runProcess(store, ...args)
    running.push(begun)
    return begun
  }
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop().catch(() => {})
  })

  let send: Send
  before(() => {
    send = startProcess(store.port).send
  })
  const addItem = async () => {
    const id = `item-${randomUUID()}`
    const { events } = await send({
      aggregate: item,
      name: 'add',
      id,
      body: { type: 'app', status: 'draft', name: id },
    })
    return { id, event: events[0]!.eventId }
  }
  const addNote = (id: string) =>
    send({ aggregate: note, name: 'add', id, body: { title: 'mine', tags: [] }, idempotencyKey: `mine-${id}` })
  const removeNote = (id: string) => send({ aggregate: note, name: 'remove', id, body: {} })
  /** The types of the events of a thing, as the log has them. */
  const typesOf = async (id: string) =>
    (await allEvents(store.log)).filter(({ metadata }) => metadata.id === id).map(({ type }) => type)
  const hasTypes = async (id: string, ...types: string[]) => (await typesOf(id)).join() === types.join()

  it('gives the commands that follow from an event, caused by it', async () => {
    const { id, event } = await addItem()
    run(notesOf('gives', false))
    await until(() => hasTypes(`note-${id}`, 'NoteAdded', 'NoteChanged'))
    const [added] = (await allEvents(store.log)).filter(({ metadata }) => metadata.id === `note-${id}`)
    expect(added!.metadata).to.deep.include({ $causationId: event, org: 'org-1' })
    expect(added!.metadata.actor).to.deep.equal({ subject: 'process:gives', roles: [] })
  })

  it('answers a refusal and leaves out the steps behind it, also when it comes again', async () => {
    const { id } = await addItem()
    await addNote(`note-${id}`)
    const refusing = notesOf('refusing', true)
    const first = run(refusing)
    await until(() => hasTypes(id, 'ItemAdded', 'ItemUpdated'))
    await until(() => hasTypes(`note-${id}`, 'NoteAdded', 'NoteChanged'))
    await first.stop()
    await removeNote(`note-${id}`)
    const again = run(refusing, { store: withoutCheckpoints(store.port) })
    const head = await store.log.head()
    await until(() => again.runner.processes[0]?.position === head && again.runner.processes[0].active === 0)
    expect(await typesOf(`note-${id}`), 'the refusal stands').to.deep.equal(['NoteAdded', 'NoteChanged', 'NoteRemoved'])
  })

  it('parks a step that fails again and again, and goes on with all other things', async () => {
    const parking = notesOf('parking', false)
    const { id: bad, event } = await addItem()
    await addNote(`note-${bad}`)
    const worker = run(parking)
    await until(async () => (await worker.checkpoint()).left.some(({ failure }) => failure?.parked))
    const { id: good } = await addItem()
    await send({ aggregate: item, name: 'update', id: bad, body: { name: 'later' } })
    await until(() => hasTypes(`note-${good}`, 'NoteAdded', 'NoteChanged'))
    const head = await store.log.head()
    await until(async () => (await worker.checkpoint()).position >= head)
    const { left } = await worker.checkpoint()
    const own = left.filter(({ thing }) => thing === bad)
    expect(own.map(({ type }) => type)).to.deep.equal(['ItemAdded', 'ItemUpdated'])
    expect(own[0]).to.deep.include({ event, org: 'org-1' })
    expect(own[0]!.failure).to.deep.include({ at: 0, code: 'note_already_added', tries: 3, parked: true })
    expect(worker.runner.processes[0]).to.deep.include({ parked: left.filter(each => each.failure).length })

    await worker.stop()
    await removeNote(`note-${bad}`)
    const next = run(parking)
    await until(() => next.runner.processes[0]?.parked !== undefined)
    expect(await typesOf(`note-${bad}`), 'a restart tries nothing that is parked').to.have.length(2)
    await writeDecision(store.port, 'parking', { event, decision: 'retry', actor: 'me', at: new Date().toISOString() })
    await until(async () => !(await next.checkpoint()).left.some(({ thing }) => thing === bad))
    const types = ['NoteAdded', 'NoteRemoved', 'NoteAdded', 'NoteChanged', 'NoteChanged']
    expect(await typesOf(`note-${bad}`)).to.deep.equal(types)
  })

  for (const mayBeRefused of [true, false]) {
    it(`goes on without an abandoned step${mayBeRefused ? ', as where it is refused' : ''}`, async () => {
      const name = `abandoning${mayBeRefused}`
      const { id, event } = await addItem()
      const broken = { ...startProcess(store.port).deps.keyring }
      const worker = run(notesOf(name, mayBeRefused), {
        keyring: broken,
        checkReferences: async ({ aggregate, id: target }) => {
          if (aggregate.name === 'note' && target === `note-${id}`) throw new Error('out of order')
        },
      })
      await until(async () =>
        (await worker.checkpoint()).left.some(each => each.event === event && each.failure?.parked),
      )
      const decision = {
        event,
        decision: 'abandon',
        reason: 'no use',
        actor: 'me',
        at: new Date().toISOString(),
      } as const
      await writeDecision(store.port, name, decision)
      if (mayBeRefused) await until(() => hasTypes(id, 'ItemAdded', 'ItemUpdated'))
      await until(async () => !(await worker.checkpoint()).left.some(each => each.event === event))
      expect(await typesOf(`note-${id}`)).to.deep.equal([])
    })
  }

  it('tries for ever while an engine is away, and parks nothing', async () => {
    const { id } = await addItem()
    let failures = 0
    const worker = run(notesOf('away', false), {
      checkReferences: async ({ id: target }) => {
        if (target === `note-${id}` && ++failures < 4) throw new KogiError('engine_unavailable', 'away')
      },
    })
    await until(() => worker.runner.trouble !== undefined)
    await until(() => hasTypes(`note-${id}`, 'NoteAdded', 'NoteChanged'))
    expect((await worker.checkpoint()).left.filter(({ thing }) => thing === id)).to.deep.equal([])
    expect(worker.runner.trouble).to.equal(undefined)
  })

  it('is taken over by the worker that began last: the other one can write no checkpoint', async () => {
    const taken = notesOf('taken', true)
    const first = run(taken)
    await until(() => first.runner.processes.length === 1)
    const second = run(taken)
    await until(() => second.runner.processes.length === 1)
    await addItem()
    const error = await first.ended.catch((thrown: Error) => thrown)
    expect((error as Error).name).to.equal('LostRaceError')
    await until(async () => (await second.checkpoint()).position >= (await store.log.head()))
  })
})

/** A log in which no checkpoint is found: all events come again. */
const withoutCheckpoints = (port: ReturnType<typeof processStore>['port']): typeof port => ({
  ...port,
  readDerived: async (stream, ...rest) =>
    stream.startsWith('worker_checkpoint-') ? [] : port.readDerived(stream, ...rest),
  append: async (stream, ...rest) =>
    stream.startsWith('worker_checkpoint-') ? { revision: 0n, position: 0n } : port.append(stream, ...rest),
  keepLast: async () => {},
  keepFor: async () => {},
})
