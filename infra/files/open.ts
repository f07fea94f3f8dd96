import path from 'node:path'
import type { Config } from '../config.ts'
import type { S3Place } from './bucket.ts'
import { folderStore } from './folder.ts'
import { s3Store } from './s3.ts'
import type { FileStore } from './store.ts'

const PART_BYTES = 8 * 1024 ** 2
/** Parts of the largest file: S3 takes 10,000. */
const PARTS_MAX = 9_000

/** The files of this installation: in a bucket where one is set, else in a folder. */
export function fileStore({
  filesDir,
  dataDir,
  fileTypesRefused,
  fileBytesMax,
  s3Url,
}: Pick<Config, 'filesDir' | 'dataDir' | 'fileTypesRefused' | 'fileBytesMax' | 's3Url'>): FileStore {
  const refused = new Set(fileTypesRefused)
  if (s3Url === undefined) return folderStore(path.resolve(filesDir ?? path.join(dataDir, 'files')), refused)
  return s3Store(s3Place(s3Url), { refused, partBytes: Math.max(PART_BYTES, Math.ceil(fileBytesMax / PARTS_MAX)) })
}

/** The bucket that a setting names: `https://key:secret@host/bucket/prefix?region=eu-central-1`. */
export function s3Place(text: string): S3Place {
  const { protocol, host, pathname, username, password, searchParams } = new URL(text)
  const [bucket, ...below] = pathname.split('/').map(decodeURIComponent).filter(Boolean)
  return {
    endpoint: `${protocol}//${host}`,
    region: searchParams.get('region') ?? 'us-east-1',
    bucket: bucket!,
    prefix: below.map(name => `${name}/`).join(''),
    ...(username && {
      credentials: { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) },
    }),
  }
}
