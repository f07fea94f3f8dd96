/** A mail server on the loopback interface that keeps what it is sent, and answers as a test says. */
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

type Caught = {
  readonly from: string
  readonly to: readonly string[]
  readonly headers: string
  readonly text: string
}

export type Catcher = {
  readonly url: string
  readonly caught: readonly Caught[]
  /** What it answers from now on: a code such as 450 or 550, or 250. */
  answer: number
  readonly close: () => Promise<void>
}

export async function startCatcher(): Promise<Catcher> {
  const caught: Caught[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (catcher.answer !== 250) return done(Object.assign(new Error('no'), { responseCode: catcher.answer }))
        const [headers = '', ...body] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n')
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom ? mailFrom.address : ''
        caught.push({
          from,
          to: rcptTo.map(({ address }) => address),
          headers,
          text: textOf(headers, body.join('\r\n\r\n')),
        })
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const catcher: Catcher = {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    caught,
    answer: 250,
    close: () => new Promise(done => server.close(() => done())),
  }
  return catcher
}

/** The text of a body in one of the encodings of RFC 2045. */
function textOf(headers: string, body: string): string {
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(headers)?.[1]?.toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding !== 'quoted-printable') return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
