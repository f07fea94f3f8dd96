/** The event bus on NATS JetStream. */
import {
  AckPolicy,
  connect,
  DeliverPolicy,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
} from 'nats'
import { administrationOf, natsOptions } from '../nats.ts'
import type { Bus, Consumer } from './bus.ts'
import { Publisher } from './publisher.ts'
import { SUBJECT_ROOT } from './subject.ts'

export type JetStreamOptions = {
  readonly url: string
  /** Name of the stream. It is made where it is absent, and left as it is where it is there. */
  readonly stream: string
  /** How long messages are kept, in ms; 0 keeps them for ever. */
  readonly maxAgeMs: number
  /** Consumers that are made with the stream. */
  readonly consumers: readonly Consumer[]
}

/** For so long the server remembers ids of messages, but not over its own restart. */
const DUPLICATES_MS = 600_000
const TIMEOUT_MS = 3_000
/** Longest wait for a message before it is asked for anew. */
const EXPIRES_MS = 5_000
const RETRY_MS = 200
/** Error codes of JetStream: a stream or a consumer that is not there. */
const [STREAM_NOT_FOUND, CONSUMER_NOT_FOUND] = [10_059, 10_014]

/** Connects at the first call, and again by itself. */
export function jetStreamBus(options: JetStreamOptions): Bus {
  let opened: Promise<NatsConnection> | undefined
  let publisher: Publisher | undefined
  let bodyBytesMax = 1_048_576

  const opening = async () => {
    const connection = await connect({
      ...natsOptions(options.url),
      name: 'kogi',
      timeout: TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS,
    })
    // Some of it is left for the subject and the headers.
    bodyBytesMax = connection.info!.max_payload - 4_096
    return connection
  }
  const open = () => {
    opened ??= opening().catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }
  return {
    async end() {
      const connection = await open()
      const admin = await administrationOf(connection, TIMEOUT_MS)
      await makeWhatIsMissing(admin, options)
      return (await admin.streams.info(options.stream)).state.last_seq
    },
    bodyBytesMax: () => bodyBytesMax,
    publish: (message, after) =>
      publisher
        ? publisher.publish(message, after)
        : open().then(connection => {
            publisher ??= new Publisher(connection, options.stream, TIMEOUT_MS)
            return publisher.publish(message, after)
          }),
    async consume(consumer, handle, signal) {
      const connection = await open()
      await makeConsumer(await administrationOf(connection, TIMEOUT_MS), options.stream, consumer)
      const source = await connection.jetstream({ timeout: TIMEOUT_MS }).consumers.get(options.stream, consumer.name)
      while (!signal.aborted) {
        const next = await source.next({ expires: EXPIRES_MS }).catch(() => pausedFor(RETRY_MS))
        if (!next) continue
        const { subject, data: body, seq: sequence, headers } = next
        try {
          await handle({ subject, body, sequence, id: headers?.get('Nats-Msg-Id') ?? '' })
          next.ack()
        } catch {
          next.nak(RETRY_MS)
        }
      }
    },
    async close() {
      publisher?.close()
      const connection = await opened?.catch(() => undefined)
      await connection?.close()
    },
  }
}

type Administration = Awaited<ReturnType<typeof administrationOf>>

async function makeWhatIsMissing(
  admin: Administration,
  { stream, maxAgeMs, consumers }: JetStreamOptions,
): Promise<void> {
  try {
    await admin.streams.info(stream)
  } catch (error) {
    if (codeOf(error) !== STREAM_NOT_FOUND) throw error
    await admin.streams.add({
      name: stream,
      subjects: [`${SUBJECT_ROOT}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_age: nanos(maxAgeMs),
      duplicate_window: nanos(maxAgeMs === 0 ? DUPLICATES_MS : Math.min(maxAgeMs, DUPLICATES_MS)),
    })
  }
  for (const consumer of consumers) await makeConsumer(admin, stream, consumer)
}

/** One message at a time is on its way to a consumer, so that none overtakes one that failed. */
async function makeConsumer(admin: Administration, stream: string, { name, filter }: Consumer): Promise<void> {
  try {
    await admin.consumers.info(stream, name)
  } catch (error) {
    if (codeOf(error) !== CONSUMER_NOT_FOUND) throw error
    await admin.consumers.add(stream, {
      durable_name: name,
      filter_subject: filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_ack_pending: 1,
    })
  }
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof NatsError ? error.jsError()?.err_code : undefined

const pausedFor = (ms: number): Promise<undefined> => new Promise(resolve => setTimeout(() => resolve(undefined), ms))
