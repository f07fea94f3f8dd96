import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'

const BOUNDARY = 'a-boundary'
const HEAD = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
const FORM = `--${BOUNDARY}\r\n${HEAD}\r\n\r\nHello.\r\n--${BOUNDARY}--\r\n`
const multipart = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }

describe('persons whose names in tokens are no ids', () => {
  let app: App
  before(async () => {
    app = await startApp()
  })
  after(() => app.close())

  for (const subject of [' mira ', '.', '..', `${'x'.repeat(127)} `]) {
    it(`own what they make: ${JSON.stringify(subject.slice(0, 8))}`, async () => {
      const client = await app.clientOf('odd', 'organization-admin', subject)
      let position = '0'
      const give = async (path: string, call: Parameters<typeof client.call>[2]) => {
        const { status, headers, body } = await client.call('POST', `/api/v1${path}`, call)
        expect(status, `${path} ${JSON.stringify(body)}`).to.equal(201)
        position = String(headers['kogi-position'])
        return body.data.id
      }
      const item = await give('/kbfc/items', { body: { name: 'Thing' } })
      const file = await give(`/kbfc/items/${item}/files`, { raw: FORM, headers: multipart })
      const note = await give('/koff/notes', { body: { title: 'Note' } })
      const wallet = await give('/kwlt/wallets', { body: { kind: 'personal' } })
      for (const path of [
        `/kbfc/items/${item}`,
        `/kbfc/files/${file}`,
        `/koff/notes/${note}`,
        `/kwlt/wallets/${wallet}`,
      ]) {
        const { status, body } = await client.call('GET', `/api/v1${path}?at_least=${position}&wait=20000`)
        expect([status, body.data?.owner], path).to.deep.equal([200, subject])
      }
      const query = `owner=${encodeURIComponent(subject)}`
      const { status, body } = await client.call('GET', `/api/v1/kbfc/items?${query}`)
      expect([status, body.data?.length]).to.deep.equal([200, 1])
    })
  }
})
