/** What an export needs of a running system, for the verb and for the worker alike. */
import type { EventStore } from '../../commands/ports.ts'
import { openCheckpoint, originOf } from '../../projections/notary/checkpoint.ts'
import { NoteFault, type Signer, verifierOf } from '../../projections/notary/note.ts'
import type { EventLog } from '../../projections/ports.ts'
import type { BundleOptions } from '../../read-api/audit/export.ts'
import { type ReadableDeps, writeReadable } from '../../read-api/audit/readable/readable.ts'
import { schemasOf } from '../../read-api/audit/schemas.ts'
import { aggregates, projections, resources } from '../catalogue.ts'
import type { Config } from '../config.ts'
import { readSkips } from '../event-store/skips.ts'
import { lastCosigned } from '../notary/cosigned.ts'
import { signersOf } from '../notary/keys.ts'
import { lastNoteOf } from '../notary/seals.ts'
import { VERSION } from '../version.ts'

const EVENTS_PER_LIST = 500

export type Sources = {
  readonly config: Config
  readonly eventStoreUrl: string
  readonly log: Pick<EventLog, 'read' | 'head'>
  readonly store: Pick<EventStore, 'readDerived'>
  /** What the readable part needs; without it there is none. */
  readonly readable?: Pick<ReadableDeps, 'pool' | 'unseal' | 'settleMs'> | undefined
}

type Given = 'readable' | 'org' | 'skips' | 'events' | 'head' | 'checkpoint' | 'cosigned' | 'signers' | 'about' | 'now'

/** All that is the same whichever events of an org are selected. The checkpoint is read before the end of the log. */
export async function exportOptions(
  { config, eventStoreUrl, log, store, readable }: Sources,
  org: string,
  signal?: AbortSignal,
): Promise<Pick<BundleOptions, Given>> {
  const checkpoint = await lastNoteOf(store, org)
  const signers = await signersOf(config)
  const cosigned = await lastCosigned(store, org)
  const isOwn = cosigned !== undefined && isSignedBy(cosigned, signers, org)
  const head = await log.head(signal)
  const names = projections.map(({ name }) => name)
  return {
    org,
    checkpoint,
    cosigned: isOwn ? cosigned : undefined,
    head,
    events: after => log.read({ after, to: head, max: EVENTS_PER_LIST, ...(signal && { signal }) }),
    skips: await readSkips(eventStoreUrl, names),
    signers,
    about: { code: VERSION, projections, schemas: schemasOf(aggregates) },
    ...(readable && {
      readable: (folder, content) => writeReadable(folder, content, { ...readable, resources, aggregates, signal }),
    }),
    now: () => new Date().toISOString(),
  }
}

/** Whether a checkpoint is one of the log as it is now: its keys and its name may have changed since. */
function isSignedBy(note: string, signers: readonly Signer[], org: string): boolean {
  try {
    const { origin, verified } = openCheckpoint(note, signers.map(verifierOf))
    return verified.some(name => origin === originOf(name, org))
  } catch (error) {
    if (error instanceof NoteFault) return false
    throw error
  }
}
