import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { loadConfig } from '../../infra/config.ts'
import { Places, placeLimits } from '../../infra/http/places.ts'

const never = () => false
const limits = { atOnce: 4, atOncePerOrg: 3, queue: 8, queuePerOrg: 6, waitMsMax: 5_000 }
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'entered',
    error => error.code ?? error.name,
  )

describe('places for reads', () => {
  it('keep one for others, however much an org asks for', async () => {
    const places = new Places(limits)
    const asked = Array.from({ length: 12 }, () => codeOf(places.enter('hog', never)))
    await sleep(0)
    expect([places.atWork, places.queued]).to.deep.equal([3, 6])
    expect(await codeOf(places.enter('other', never))).to.equal('entered')
    for (let n = 0; n < 9; n++) {
      places.leave('hog')
      await sleep(0)
    }
    const codes = await Promise.all(asked)
    expect(codes.filter(code => code === 'entered')).to.have.length(9)
    expect(codes.filter(code => code === 'too_many_requests')).to.have.length(3)
    places.leave('other')
    expect([places.atWork, places.queued]).to.deep.equal([0, 0])
  })

  it('are given to waiting orgs in turns, and within an org in order', async () => {
    const places = new Places({ ...limits, atOnce: 1, atOncePerOrg: 1 })
    await places.enter('a', never)
    const order: string[] = []
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) {
      void places.enter(name[0]!, never).then(() => order.push(name))
    }
    for (const org of ['a', 'a', 'b', 'c', 'a', 'b', 'a']) {
      places.leave(org)
      await sleep(0)
    }
    expect(order).to.deep.equal(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('are refused after too long a wait, and left alone by a client that goes away', async () => {
    const places = new Places({ ...limits, atOnce: 1, atOncePerOrg: 1, waitMsMax: 30 })
    await places.enter('a', never)
    let isGone = false
    const left = codeOf(places.enter('b', () => isGone))
    const late = codeOf(places.enter('c', never))
    isGone = true
    expect(await left).to.equal('ClientGone')
    expect(await late).to.equal('too_many_requests')
    expect(places.queued).to.equal(0)
    places.leave('a')
    expect(places.atWork).to.equal(0)
  })

  it('are given back for a wait and taken again after it', async () => {
    const places = new Places({ ...limits, atOnce: 1, atOncePerOrg: 1, queue: 2, queuePerOrg: 2 })
    await places.enter('a', never)
    let end: () => void = () => {}
    const waiting = places.aside(
      'a',
      () =>
        new Promise<void>(resolve => {
          end = resolve
        }),
    )
    expect(await codeOf(places.enter('b', never))).to.equal('entered')
    end()
    await sleep(0)
    expect([places.atWork, places.queued]).to.deep.equal([1, 1])
    places.leave('b')
    await waiting
    expect(places.atWork).to.equal(1)
    const failed = places
      .aside('a', async () => {
        throw new Error('no')
      })
      .catch(error => error.message)
    expect([await failed, places.atWork]).to.deep.equal(['no', 1])
    places.leave('a')
  })

  it('are not many for waits either', async () => {
    const places = new Places({ ...limits, queue: 2, queuePerOrg: 1 })
    await places.enter('a', never)
    await places.enter('a', never)
    const waiting = places.aside('a', () => sleep(30))
    expect(await codeOf(places.aside('a', () => sleep(1)))).to.equal('too_many_requests')
    expect(places.atWork).to.equal(1)
    await waiting
    places.leave('a')
    places.leave('a')
  })

  it('are not kept from others by an org whose waits end while none is free', async () => {
    const places = new Places({ ...limits, atOnce: 2, atOncePerOrg: 2, queue: 3, queuePerOrg: 3 })
    for (const _ of 'ab') await places.enter('hog', never)
    const waiting = [places.aside('hog', () => sleep(10)), places.aside('hog', () => sleep(10))]
    for (const _ of 'ab') await places.enter('hog', never)
    const queued = codeOf(places.enter('hog', never))
    await sleep(30)
    expect([places.atWork, places.queued]).to.deep.equal([2, 3])
    const other = codeOf(places.enter('other', never))
    for (const _ of 'ab') {
      places.leave('hog')
      await sleep(0)
    }
    expect(await other).to.equal('entered')
    places.leave('other')
    for (const _ of 'abc') {
      await sleep(0)
      places.leave('hog')
    }
    await Promise.all([...waiting, queued])
    expect([places.atWork, places.queued]).to.deep.equal([0, 0])
  })

  it('are not given while shut', async () => {
    const places = new Places(limits)
    places.shut()
    const entered = codeOf(places.enter('a', never))
    await sleep(5)
    expect([places.atWork, places.queued]).to.deep.equal([0, 1])
    places.open()
    expect(await entered).to.equal('entered')
  })

  it('follow the connections of the database unless settings say it', () => {
    const of = (env: Record<string, string>) => placeLimits(loadConfig(env))
    const waitMsMax = 2_000
    expect(of({})).to.deep.equal({ atOnce: 10, atOncePerOrg: 7, queue: 160, queuePerOrg: 120, waitMsMax })
    expect(of({ KOGI_DATABASE_POOL_SIZE: '1' })).to.deep.equal({
      atOnce: 1,
      atOncePerOrg: 1,
      queue: 16,
      queuePerOrg: 12,
      waitMsMax,
    })
    expect(of({ KOGI_READS_AT_ONCE: '4', KOGI_READS_AT_ONCE_PER_ORG: '2', KOGI_READ_QUEUE: '10' })).to.deep.equal({
      atOnce: 4,
      atOncePerOrg: 2,
      queue: 10,
      queuePerOrg: 7,
      waitMsMax,
    })
    expect(() => of({ KOGI_READS_AT_ONCE: '11' })).to.throw('KOGI_DATABASE_POOL_SIZE')
  })
})
