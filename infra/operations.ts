/** What operators do with a whole installation, noted in a stream of its own: it is of no organization. */
import { randomUUID } from 'node:crypto'
import type { EventStore } from '../commands/ports.ts'
import type { Operation } from '../read-api/audit/operations.ts'
import { timestampNow } from './clock.ts'
import { commandStore } from './event-store/command-store.ts'
import { type Log, reasonOf } from './log.ts'

const STREAM = 'operations'

/** Notes an operation that is done. Where that fails the operation stays done: the log line says so. */
export async function noteOperation(
  { eventStoreUrl }: { readonly eventStoreUrl: string },
  log: Pick<Log, 'warn'>,
  operation: Pick<Operation, 'what' | 'done'>,
): Promise<void> {
  const store = commandStore(eventStoreUrl)
  try {
    const data = { ...operation, at: timestampNow() }
    await store.appendDerived(STREAM, [{ id: randomUUID(), type: 'OperationDone', data, metadata: {} }])
  } catch (error) {
    log.warn({ reason: reasonOf(error), ...operation }, 'what was done could not be noted')
  } finally {
    await store.close()
  }
}

/** The operations that were noted, the latest first, from a number on. */
export async function notedOperations(
  store: Pick<EventStore, 'readDerived'>,
  limit: number,
  from?: bigint,
): Promise<readonly Operation[]> {
  const events = await store.readDerived(STREAM, 'backwards', limit, from)
  return events.map(({ revision, data }) => ({ number: revision, ...(data as Omit<Operation, 'number'>) }))
}
