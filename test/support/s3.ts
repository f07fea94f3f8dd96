/** A small server of S3 in memory: one bucket, the calls that Kogi makes, each with its signature checked (SigV4). */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Stored = { readonly bytes: Buffer; readonly at: number }
type Upload = { readonly key: string; readonly at: number; readonly parts: Map<number, Buffer> }
type Asked = {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}
type Answer = { readonly status: number; readonly body?: string | Buffer; readonly headers?: Record<string, string> }

export type S3Server = {
  /** Value for `KOGI_S3_URL`. */
  readonly url: string
  readonly objects: Map<string, Stored>
  readonly uploads: Map<string, Upload>
  /** Requests by method and kind, for example `PUT part`. */
  readonly calls: string[]
  /** Answers every request with this status while it is set. */
  failing: number | undefined
  readonly close: () => Promise<void>
}

const BUCKET = 'kogi-files'
const REGION = 'eu-central-1'
const [KEY, SECRET] = ['test', 'a secret / of+slashes']
const PAGE = 3
const XML = '<?xml version="1.0" encoding="UTF-8"?>'
const etagOf = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
const xml = (name: string, inner: string): Answer => ({
  status: 200,
  body: `${XML}<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${name}>`,
})
const fault = (status: number, code: string): Answer => ({
  status,
  body: `${XML}<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
})
const timeOf = (at: number) => new Date(Math.floor(at / 1_000) * 1_000)

/** Starts the server on a free port of loopback. */
export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, Upload>()
  const calls: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const url = new URL(request.url!, 'http://s3')
    const asked = { method: request.method!, url, headers: request.headers, body: Buffer.concat(chunks) }
    if (s3.failing !== undefined) return send(response, asked, fault(s3.failing, 'ServiceUnavailable'))
    if (!isSigned(asked)) return send(response, asked, fault(403, 'SignatureDoesNotMatch'))
    const [bucket, ...key] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    send(response, asked, bucket === BUCKET ? answerTo(s3, asked, key.join('/')) : fault(404, 'NoSuchBucket'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const user = `${KEY}:${encodeURIComponent(SECRET)}`
  const s3: S3Server = {
    url: `http://${user}@127.0.0.1:${port}/${BUCKET}/some/prefix?region=${REGION}`,
    objects,
    uploads,
    calls,
    failing: undefined,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return s3
}

function send(response: ServerResponse, { method }: Asked, { status, body = '', headers = {} }: Answer): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { 'content-length': bytes.length, 'x-amz-request-id': randomUUID(), ...headers })
  response.end(method === 'HEAD' ? undefined : bytes)
}

function answerTo(s3: S3Server, asked: Asked, key: string): Answer {
  const { method, url, headers } = asked
  const query = url.searchParams
  const source = headers['x-amz-copy-source']
  const kind = query.has('partNumber') ? ' part' : query.has('uploads') || query.has('uploadId') ? ' upload' : ''
  s3.calls.push(`${method}${kind}${source ? ' copy' : ''}`)
  if (key === '') return query.has('uploads') ? listUploads(s3, query) : list(s3, query)
  if (kind !== '') return multipart(s3, asked, key)
  const found = s3.objects.get(key)
  if (method === 'PUT') {
    const bytes = source === undefined ? asked.body : copied(s3, headers)
    if (!bytes) return fault(404, 'NoSuchKey')
    s3.objects.set(key, { bytes, at: Date.now() })
    const etag = etagOf(bytes)
    return source ? xml('CopyObjectResult', `<ETag>${etag}</ETag>`) : { status: 200, headers: { etag } }
  }
  if (method === 'DELETE') {
    s3.objects.delete(key)
    return { status: 204 }
  }
  return found ? get(found, method, headers.range) : fault(404, 'NoSuchKey')
}

function get({ bytes, at }: Stored, method: string, range: string | undefined): Answer {
  const about = { etag: etagOf(bytes), 'last-modified': timeOf(at).toUTCString() }
  if (method === 'HEAD') return { status: 200, headers: { ...about, 'content-length': String(bytes.length) } }
  if (range === undefined) return { status: 200, body: bytes, headers: about }
  const [first, last] = /^bytes=(\d+)-(\d+)$/.exec(range)!.slice(1).map(Number) as [number, number]
  if (first >= bytes.length) return fault(416, 'InvalidRange')
  const until = Math.min(last, bytes.length - 1)
  const headers = { ...about, 'content-range': `bytes ${first}-${until}/${bytes.length}` }
  return { status: 206, body: bytes.subarray(first, until + 1), headers }
}

/** The bytes that a copy is of. */
function copied({ objects }: S3Server, headers: Asked['headers']): Buffer | undefined {
  const [bucket, ...key] = String(headers['x-amz-copy-source']).split('/').map(decodeURIComponent)
  const bytes = bucket === BUCKET ? objects.get(key.join('/'))?.bytes : undefined
  const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range']))
  return range ? bytes?.subarray(Number(range[1]), Number(range[2]) + 1) : bytes
}

function multipart(s3: S3Server, { method, url, headers, body }: Asked, key: string): Answer {
  if (url.searchParams.has('uploads')) {
    const id = randomUUID()
    s3.uploads.set(id, { key, at: Date.now(), parts: new Map() })
    return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`)
  }
  const id = url.searchParams.get('uploadId')!
  const upload = s3.uploads.get(id)
  if (!upload || upload.key !== key) return fault(404, 'NoSuchUpload')
  if (method === 'PUT') {
    const source = headers['x-amz-copy-source']
    const bytes = source === undefined ? body : copied(s3, headers)
    if (!bytes) return fault(404, 'NoSuchKey')
    upload.parts.set(Number(url.searchParams.get('partNumber')), bytes)
    const etag = etagOf(bytes)
    return source ? xml('CopyPartResult', `<ETag>${etag}</ETag>`) : { status: 200, headers: { etag } }
  }
  s3.uploads.delete(id)
  if (method === 'DELETE') return { status: 204 }
  const named = [...body.toString().matchAll(/<ETag>(.*?)<\/ETag><PartNumber>(\d+)<\/PartNumber>/g)]
  const parts = named.map(([, etag, number]) => ({ etag, bytes: upload.parts.get(Number(number))! }))
  const isRight = parts.length > 0 && parts.every(({ etag, bytes }) => bytes && etagOf(bytes) === unescaped(etag!))
  if (!isRight) return fault(400, 'InvalidPart')
  s3.objects.set(key, { bytes: Buffer.concat(parts.map(({ bytes }) => bytes)), at: Date.now() })
  return xml('CompleteMultipartUploadResult', `<Key>${key}</Key>`)
}
const unescaped = (text: string) => text.replaceAll('&quot;', '"')

function list({ objects }: S3Server, query: URLSearchParams): Answer {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? '']
  const all = [...objects].filter(([key]) => key.startsWith(prefix) && key > after).sort(([a], [b]) => (a < b ? -1 : 1))
  const page = all.slice(0, PAGE)
  const contents = page.map(
    ([key, { at }]) => `<Contents><Key>${key}</Key><LastModified>${timeOf(at).toISOString()}</LastModified></Contents>`,
  )
  const more = all.length > PAGE ? `<NextContinuationToken>${page.at(-1)![0]}</NextContinuationToken>` : ''
  return xml('ListBucketResult', `<IsTruncated>${all.length > PAGE}</IsTruncated>${more}${contents.join('')}`)
}

function listUploads({ uploads }: S3Server, query: URLSearchParams): Answer {
  const marker = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''].join('\n')
  const placed = [...uploads].map(([id, upload]) => ({ id, ...upload, place: `${upload.key}\n${id}` }))
  const all = placed
    .filter(({ key, place }) => key.startsWith(query.get('prefix') ?? '') && place > marker)
    .sort((a, b) => (a.place < b.place ? -1 : 1))
  const [found, last] = [all.slice(0, PAGE), all[PAGE - 1]]
  const texts = found.map(
    ({ id, key, at }) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${timeOf(at).toISOString()}</Initiated></Upload>`,
  )
  const next = `<NextKeyMarker>${last?.key}</NextKeyMarker><NextUploadIdMarker>${last?.id}</NextUploadIdMarker>`
  const isCut = all.length > PAGE
  const cut = `<IsTruncated>${isCut}</IsTruncated>${isCut ? next : ''}`
  return xml('ListMultipartUploadsResult', `${cut}${texts.join('')}`)
}

const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

/** Whether a request has the signature of the key, version 4, and its body the digest that was signed. */
function isSigned({ method, url, headers, body }: Asked): boolean {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=(\S+), Signature=(\w+)$/
  const [, key, day, region, names, signature] = form.exec(headers.authorization ?? '') ?? []
  if (key !== KEY || region !== REGION) return false
  const content = String(headers['x-amz-content-sha256'])
  if (content !== sha256(body)) return false
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...url.searchParams]
    .map(([name, value]) => `${strict(name)}=${strict(value)}`)
    .sort()
    .join('&')
  const signed = names!.split(';').map(name => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`)
  const canonical = [method, url.pathname, query, signed.join(''), names, content].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const dateKey = hmac(`AWS4${SECRET}`, day!)
  const signing = hmac(hmac(hmac(dateKey, region!), 's3'), 'aws4_request')
  return hmac(signing, toSign).toString('hex') === signature
}
