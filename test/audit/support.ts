import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { type Json, toWire } from '../../domain/kernel/json.ts'
import { aggregates, codec, projections } from '../../infra/catalogue.ts'
import type { Signer } from '../../projections/notary/note.ts'
import {
  EVENTS,
  HASHES,
  MANIFEST,
  type Manifest,
  manifestText,
  SIGNATURE,
  sha256,
} from '../../read-api/audit/bundle.ts'
import { type Exported, exportOrg } from '../../read-api/audit/export.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { lineSchemas } from '../../read-api/audit/line-check.ts'
import { signManifest } from '../../read-api/audit/signature.ts'
import { bytesOf } from '../../read-api/audit/source.ts'
import { History } from '../read-api/support.ts'

export const CHECK = { schemas: lineSchemas(aggregates), decode: codec.decode, projections }

/** What exports of tests say of the program that made them. */
const ABOUT = { code: '0.0.0', projections, schemas: {} }

/** A history of two orgs with every kind of data: `count` entries of each. */
export function books(count: number): History {
  const history = new History()
  for (const org of ['north', 'south']) {
    history
      .add(org, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' })
      .add(org, 'wallet', 'w', 'AccountOpened', {
        account: 'Kasse ü',
        currency: 'EUR',
        places: 2,
        overdraft: 'allowed',
      })
      .add(org, 'item', 'i', 'ItemAdded', {
        type: 'app',
        status: 'draft',
        name: '𝒜pp "x"',
        metadata: { b: [1, 1e21, null], a: { c: '\u2028\u0007' } },
        owner: 'o',
      })
      .add(org, 'task', 't', 'TaskCreated', { name: 'Do', status: 'open' })
  }
  for (let n = 0; n < count; n += 1) {
    for (const org of ['north', 'south']) {
      history.add(org, 'wallet', 'w', 'EntryPosted', {
        entry: `e${n}`,
        kind: 'journal',
        postings: [
          { account: 'Kasse ü', currency: 'EUR', amount: BigInt(n) - 3n },
          { account: 'external:x', currency: 'EUR', amount: 3n - BigInt(n) },
        ],
        effectiveOn: '2026-01-01',
        description: `No ${n}`,
      })
    }
    if (n % 3 === 0) history.add('north', 'task', 't', 'TaskAssigned', { from: null, to: `a${n}` })
  }
  return history
}

/** The events as the log holds them, in lists. */
export async function* stored(history: History, perList = 7): AsyncGenerator<readonly StoredEvent[]> {
  const events = history.events.map(({ category: _, data, ...event }) => ({
    ...event,
    data: toWire(data) as { readonly [key: string]: Json },
  }))
  for (let at = 0; at < events.length; at += perList) yield events.slice(at, at + perList)
}

/** A folder of the test's own, gone after it. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-audit-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const exported = (history: History, out: string, more: object = {}): Promise<Exported> =>
  exportOrg({
    events: () => stored(history),
    head: history.position,
    org: 'north',
    checkpoint: undefined,
    skips: [],
    signers: [],
    about: ABOUT,
    out,
    now: () => '2026-05-06T07:08:09.010Z',
    ...more,
  })

export type Files = Record<string, Buffer>

export async function readFiles(folder: string): Promise<Files> {
  const source = folderSource(folder)
  const names = (await source.entries()).map(({ name }) => name)
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await bytesOf(source, name)] as const)))
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), bytes)
  }
}

/** A forgery by the rules of the format: changed lines, hashes and manifest made to fit, signed by `signers`. */
export function forged(
  files: Files,
  lines: readonly string[],
  counts: object = {},
  signers: readonly Signer[] = [],
): Files {
  const { digest: _, files: entries, ...manifest } = JSON.parse(files[MANIFEST]!.toString()) as Manifest
  const events = Buffer.from(lines.map(line => `${line}\n`).join(''))
  const hashes = Buffer.from(lines.map(line => `${sha256(line)}\n`).join(''))
  const entry = (name: string, bytes: Buffer) => ({
    name,
    bytes: bytes.length,
    lines: lines.length,
    sha256: sha256(bytes),
  })
  const isOld = 'version' in counts && Number(counts.version) < 5
  const others = isOld ? [] : entries.filter(({ name }) => name !== EVENTS && name !== HASHES)
  const text = manifestText({
    ...manifest,
    ...(isOld && { signed: undefined, code: undefined, projections: undefined }),
    ...counts,
    files: [entry(EVENTS, events), entry(HASHES, hashes), ...others],
  } as Manifest)
  const made = { ...files, [MANIFEST]: Buffer.from(text), [EVENTS]: events, [HASHES]: hashes }
  const [first, ...more] = signers
  if (isOld) return { [MANIFEST]: made[MANIFEST], [EVENTS]: events, [HASHES]: hashes }
  if (!first) return made
  return { ...made, [SIGNATURE]: Buffer.from(signManifest('north', text, [first, ...more])) }
}

export const linesOf = (files: Files, name = EVENTS): string[] => files[name]!.toString().trimEnd().split('\n')
