import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { receiveFile } from '../../infra/http/upload.ts'

const HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'

describe('an upload that breaks off', () => {
  // What is not caught would end the process; mocha calls it a failure.
  it('before the store has begun to read is the failure of that upload alone', async () => {
    let said: unknown
    const server = createServer(async (incoming, answer) => {
      const receive = receiveFile(incoming, 1_000_000)
      said = await receive(async ({ bytes }) => {
        await sleep(100)
        for await (const _ of bytes);
      }).catch((error: unknown) => error)
      answer.destroy()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-length': 100_000 }
    const sent = request({ port, method: 'POST', headers }).on('error', () => {})
    sent.write(`${HEAD}${'x'.repeat(1_000)}`, () => setTimeout(() => sent.destroy(), 20))
    for (let tries = 0; said === undefined && tries < 500; tries += 1) await sleep(10)
    await sleep(150)
    expect(said).to.be.an('error')
    server.close()
  })
})
