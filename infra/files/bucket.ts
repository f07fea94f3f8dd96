/** What Kogi asks of a bucket. */
import type { CompletedPart, GetObjectCommandOutput, MultipartUpload, S3Client } from '@aws-sdk/client-s3'

/** A bucket and how to reach it. Without `credentials` the SDK finds them (environment, profile, role of a machine). */
export type S3Place = {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** What all keys begin with: empty, or ending in `/`. */
  readonly prefix: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

type Sdk = typeof import('@aws-sdk/client-s3')
type Open = { readonly sdk: Sdk; readonly client: S3Client }

const CONNECT_MS = 5_000
/** Time that a connection may be silent. */
const SILENT_MS = 30_000
/** S3 says when an object was stored in whole seconds, cut off. */
const CLOCK_MS = 1_000

/** The objects of a bucket by their keys. The SDK is loaded when the first is asked for. */
export class BucketClient {
  readonly #place: S3Place
  #opened: Promise<Open> | undefined

  constructor(place: S3Place) {
    this.#place = place
  }

  #open(): Promise<Open> {
    this.#opened ??= import('@aws-sdk/client-s3').then(sdk => ({ sdk, client: clientOf(sdk, this.#place) }))
    return this.#opened
  }
  readonly #at = (Key: string) => ({ Bucket: this.#place.bucket, Key })

  async put(key: string, Body: Uint8Array): Promise<void> {
    const { sdk, client } = await this.#open()
    await client.send(new sdk.PutObjectCommand({ ...this.#at(key), Body }))
  }

  /** The bytes of an object, or of a range of it; `undefined` where there is none. */
  async get(key: string, range: string | undefined): Promise<GetObjectCommandOutput['Body']> {
    const { sdk, client } = await this.#open()
    const asked = { ...this.#at(key), ...(range !== undefined && { Range: range }) }
    return (await orAbsent(client.send(new sdk.GetObjectCommand(asked))))?.Body
  }

  async delete(key: string): Promise<void> {
    const { sdk, client } = await this.#open()
    await client.send(new sdk.DeleteObjectCommand(this.#at(key)))
  }

  /** Removes an object that was last stored before an instant. */
  async deleteOld(key: string, storedBefore: number): Promise<'removed' | 'young' | 'absent'> {
    const { sdk, client } = await this.#open()
    const found = await orAbsent(client.send(new sdk.HeadObjectCommand(this.#at(key))))
    if (!found) return 'absent'
    if (found.LastModified!.getTime() + CLOCK_MS > storedBefore) return 'young'
    await this.delete(key)
    return 'removed'
  }

  /** Stores an object of several parts, each of 5 MiB at least but for the last one. */
  putParts(key: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#upload(key, async function* upload({ sdk, client }, of) {
      let PartNumber = 0
      for await (const Body of parts) {
        PartNumber += 1
        const { ETag } = await client.send(new sdk.UploadPartCommand({ ...of, PartNumber, Body }))
        yield { PartNumber, ETag }
      }
    })
  }

  /** Copies an object of a known size within the store, in parts where it has more than the bytes of one copy. */
  async copy(from: string, key: string, bytes: number, copyBytes: number): Promise<void> {
    const CopySource = [this.#place.bucket, ...from.split('/')].map(encodeURIComponent).join('/')
    if (bytes <= copyBytes) {
      const { sdk, client } = await this.#open()
      await client.send(new sdk.CopyObjectCommand({ ...this.#at(key), CopySource }))
      return
    }
    await this.#upload(key, async function* upload({ sdk, client }, of) {
      for (let first = 0; first < bytes; first += copyBytes) {
        const PartNumber = first / copyBytes + 1
        const CopySourceRange = `bytes=${first}-${Math.min(first + copyBytes, bytes) - 1}`
        const part = new sdk.UploadPartCopyCommand({ ...of, PartNumber, CopySource, CopySourceRange })
        yield { PartNumber, ETag: (await client.send(part)).CopyPartResult!.ETag }
      }
    })
  }

  async #upload(
    key: string,
    parts: (open: Open, of: { Bucket: string; Key: string; UploadId: string }) => AsyncIterable<CompletedPart>,
  ): Promise<void> {
    const { sdk, client } = await this.#open()
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(this.#at(key)))
    const of = { ...this.#at(key), UploadId: UploadId! }
    try {
      const Parts: CompletedPart[] = []
      for await (const part of parts({ sdk, client }, of)) Parts.push(part)
      await client.send(new sdk.CompleteMultipartUploadCommand({ ...of, MultipartUpload: { Parts } }))
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand(of)).catch(() => {})
      throw error
    }
  }

  /** The keys of all objects below one, a page at a time. */
  async *pages(Prefix: string): AsyncGenerator<readonly string[]> {
    const { sdk, client } = await this.#open()
    const asked = { Bucket: this.#place.bucket, Prefix }
    for await (const { Contents = [] } of sdk.paginateListObjectsV2({ client }, asked)) {
      yield Contents.map(({ Key }) => Key!)
    }
  }

  /** Ends uploads that were begun before an instant, and returns how many. */
  async endUploads(Prefix: string, begunBefore: number): Promise<number> {
    const { sdk, client } = await this.#open()
    let ended = 0
    for await (const uploads of this.#uploads(Prefix)) {
      const old = uploads.filter(({ Initiated }) => Initiated!.getTime() + CLOCK_MS <= begunBefore)
      for (const { Key, UploadId } of old) {
        await orAbsent(client.send(new sdk.AbortMultipartUploadCommand({ ...this.#at(Key!), UploadId })))
      }
      ended += old.length
    }
    return ended
  }

  /** The uploads below a key that are begun and not ended, a page at a time; the SDK has no paginator for them. */
  async *#uploads(Prefix: string): AsyncGenerator<readonly MultipartUpload[]> {
    const { sdk, client } = await this.#open()
    let place: { KeyMarker?: string; UploadIdMarker?: string } = {}
    for (;;) {
      const asked = { Bucket: this.#place.bucket, Prefix, ...place }
      const found = await client.send(new sdk.ListMultipartUploadsCommand(asked))
      yield found.Uploads ?? []
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = found
      // A server that says where no page goes on would be asked for the same one for ever.
      if (!IsTruncated || !KeyMarker) return
      if (KeyMarker === place.KeyMarker && UploadIdMarker === place.UploadIdMarker) return
      place = { KeyMarker, ...(UploadIdMarker && { UploadIdMarker }) }
    }
  }
}

const clientOf = ({ S3Client }: Sdk, { endpoint, region, credentials }: S3Place) =>
  new S3Client({
    endpoint,
    region,
    ...(credentials && { credentials }),
    forcePathStyle: true,
    // Servers of others do not know the checksums that the SDK adds by default, and store them as content.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  })

/** What is asked for; `undefined` where the store has no such object. */
async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const { name } = error as Error
    if (name === 'NotFound' || name === 'NoSuchKey' || name === 'NoSuchUpload') return undefined
    throw error
  }
}

/** Failures of a connection have the code of the system call, and answers of the server their status. */
export function isAway(error: unknown): boolean {
  const { code, name, $metadata } = error as { code?: unknown; name?: unknown; $metadata?: { httpStatusCode?: number } }
  if (name === 'TimeoutError' || (typeof code === 'string' && /^E[A-Z]+$/.test(code) && $metadata)) return true
  return ($metadata?.httpStatusCode ?? 0) >= 500
}
