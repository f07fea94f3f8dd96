import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Places } from '../../infra/http/places.ts'
import { route, type Served, serve } from '../support/http.ts'

const PIECE = Buffer.alloc(64 * 1024)
const headers = { authorization: 'Bearer a' }

describe('bytes that reads make as they are sent', () => {
  const places = new Places({ atOnce: 2, atOncePerOrg: 1, queue: 8, queuePerOrg: 6, waitMsMax: 2_000 })
  let served: Served
  /** Files that are being made, and the places that were taken while a piece was. */
  let begun = 0
  let working: number[] = []
  before(async () => {
    async function* content(pieces: number) {
      begun += 1
      try {
        for (let n = 0; n < pieces; n++) {
          await sleep(1)
          working.push(places.atWork)
          yield PIECE
        }
      } finally {
        begun -= 1
      }
    }
    served = await serve({
      reads: places,
      routes: [
        route('GET', '/files/:pieces', async ({ params }) => {
          const stream = content(Number(params.pieces))
          const open = async () => ({ [Symbol.asyncIterator]: () => stream, destroy() {} })
          return { bytes: { name: 'f', type: 'text/csv', open, isRead: true } }
        }),
        route('GET', '/quick', async () => ({ data: 'quick' })),
      ],
    })
  })
  beforeEach(() => {
    working = []
  })
  after(() => served.lifecycle.stop('test'))

  const begin = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) =>
      get(`${served.url}/api/v1${path}`, { headers, agent: false }, resolve).on('error', reject),
    )
  async function until(isSo: () => boolean, what: string) {
    for (let n = 0; n < 500 && !isSo(); n++) await sleep(10)
    expect(isSo(), what).to.equal(true)
  }

  it('take one place each while they are made, and come whole', async () => {
    const files = await Promise.all(Array.from({ length: 5 }, () => begin('/files/20')))
    const sizes = await Promise.all(
      files.map(async file => {
        let size = 0
        for await (const piece of file) size += piece.length
        return size
      }),
    )
    expect(sizes).to.deep.equal(Array(5).fill(20 * PIECE.length))
    expect(new Set(working)).to.deep.equal(new Set([1]))
    expect([begun, places.atWork, places.queued]).to.deep.equal([0, 0, 0])
  })

  it('leave the place to others while a client takes nothing, and end with the client', async () => {
    const files = await Promise.all([begin('/files/1000000'), begin('/files/1000000')])
    await until(() => begun === 2 && places.atWork === 0, 'places are free')
    const quick = await fetch(`${served.url}/api/v1/quick`, { headers })
    expect(quick.status).to.equal(200)
    for (const file of files) {
      file.on('error', () => {})
      file.destroy()
    }
    await until(() => begun === 0, 'nothing is made for clients that left')
    expect([places.atWork, places.queued]).to.deep.equal([0, 0])
    expect(served.lines.filter(({ level }) => level === 'error')).to.deep.equal([])
  })

  it('take no place that they do not need, where only the head is asked for', async () => {
    const head = await fetch(`${served.url}/api/v1/files/1000000`, { headers, method: 'HEAD' })
    expect([head.status, begun, places.atWork]).to.deep.equal([200, 0, 0])
  })
})
