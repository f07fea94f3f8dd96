/**
 * E-mails notifications. What there is to do stands in rows: notifications behind the last mail of their user, and
 * mails whose time has come. What is true stands in the log: mail and inbox are read there before each attempt, which
 * is an event. An end between an attempt and its event repeats the attempt: a mail has one `Message-ID` for ever.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import { uuidOf } from '../../commands/ids.ts'
import { type Inbox, inbox } from '../../domain/hub/inbox/inbox.ts'
import { type Mail, mail } from '../../domain/hub/mail/mail.ts'
import { type Log, reasonOf } from '../log.ts'
import { keepLooking } from '../looking.ts'
import { give, stateOf, type Thing } from '../things.ts'
import type { WriteLetter } from './letter.ts'
import type { DueMail, MailRows } from './rows.ts'
import { isOfServer, type Posted, type SendLetter } from './smtp.ts'

/** Pauses before an attempt is repeated, in seconds: some two days in all; after the last one the mail is parked. */
const PAUSES_SECONDS: readonly number[] = [60, 300, 1_800, 7_200, 18_000, 50_400, 86_400]
/** A mail that could not be tried for so long is not sent any more: its news are old. */
const OLD_MS = 4 * 86_400_000
const LOOK_MS = 2_000
const BUSY_MS = 50
/** Time after which a mail that was tried is looked at again, should its row still be as it was. */
const AGAIN_MS = 1_000
const ACTIVE_MAX = 8

export type MailerDeps = WriteDeps & {
  readonly rows: MailRows
  readonly write: WriteLetter
  readonly send: SendLetter
  readonly log: Pick<Log, 'warn'>
  /** Called after each attempt. */
  readonly onAttempt?: (outcome: 'sent' | 'failed' | 'parked', latencyMs: number) => void
}

type Waiting = Exclude<Mail, { readonly status: 'none' }>

export class Mailer {
  readonly #deps: MailerDeps
  /** Mails on their way, and those that were tried a moment ago. */
  readonly #active = new Set<string>()
  readonly #tried = new Map<string, number>()
  readonly #working = new Set<Promise<void>>()
  #trouble: Error | undefined
  /** What the mail server answers while it takes no mail. */
  #refusal: string | undefined

  constructor(deps: MailerDeps) {
    this.#deps = deps
  }

  /** What keeps it from working, while there is something. */
  get trouble(): Error | undefined {
    return this.#trouble ?? (this.#refusal === undefined ? undefined : new Error(`the mail server: ${this.#refusal}`))
  }

  /** Works until the signal aborts; attempts under way are waited for. */
  async run(signal: AbortSignal): Promise<void> {
    await keepLooking(signal, {
      look: async () => ({ pauseMs: (await this.#look(signal)) ? BUSY_MS : LOOK_MS }),
      retryMs: LOOK_MS,
      onTrouble: trouble => {
        this.#trouble = trouble
      },
    })
    await Promise.all(this.#working)
    this.#trouble = undefined
    this.#refusal = undefined
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { rows, now } = this.#deps
    const fresh = await rows.fresh()
    for (const { org, user, id, position } of fresh) {
      if (signal.aborted) return false
      const made = { org, id: uuidOf([org, 'mail', id]) }
      const body = { user, notification: id, upTo: position }
      await give(this.#deps, mail, made, { by: 'mailer', name: 'request', body, part: 'request' })
    }
    const moment = performance.now()
    for (const [id, until] of this.#tried) if (until <= moment) this.#tried.delete(id)
    const due = await rows.due(now(), [...this.#active, ...this.#tried.keys()])
    for (const found of due) if (!signal.aborted && this.#active.size < ACTIVE_MAX) this.#begin(found)
    return fresh.length > 0 || this.#active.size > 0 || this.#tried.size > 0
  }

  #begin(due: DueMail): void {
    this.#active.add(due.id)
    const working: Promise<void> = this.#attempt(due)
      .catch(error => {
        this.#trouble = error
        this.#deps.log.warn({ mail: due.id, reason: reasonOf(error) }, 'a mail could not be written or noted')
      })
      .finally(() => {
        this.#active.delete(due.id)
        this.#tried.set(due.id, performance.now() + AGAIN_MS)
        this.#working.delete(working)
      })
    this.#working.add(working)
  }

  async #attempt({ requested_at, ...thing }: DueMail): Promise<void> {
    const { now, rows, write, send, keyring, onAttempt } = this.#deps
    const found = (await stateOf(this.#deps, mail, thing)) as Mail
    if (found.status !== 'waiting' || found.dueAt > now()) return
    if (Date.parse(now()) - Date.parse(requested_at) > OLD_MS)
      return this.#note(thing, found, 'omit', { why: 'too_old' })
    const { user, notification, upTo } = found
    const box = (await stateOf(this.#deps, inbox, { org: thing.org, id: user })) as Inbox
    const { email, grants = [] } = box.status === 'open' ? box : {}
    const [to] = email ? await keyring.open(thing.org, [email]) : []
    if (typeof to !== 'string')
      return this.#note(thing, found, 'omit', { why: email ? 'address_erased' : 'no_address' })
    const told = await rows.told({ org: thing.org, user, upTo, isDigest: notification === undefined })
    if (!told) return
    const letter = await write({ org: thing.org, user, grants }, told)
    if (!letter) return this.#note(thing, found, 'omit', { why: 'nothing_new' })
    const posted = await send({ id: thing.id, to, ...letter }, new Date(now()))
    const { failure, latencyMs } = posted
    this.#refusal = failure !== undefined && isOfServer(failure) ? failure : undefined
    if (failure === undefined) await this.#note(thing, found, 'succeed', { latencyMs })
    else await this.#fail(thing, found, posted)
    if (failure === undefined) onAttempt?.('sent', latencyMs)
  }

  async #fail(thing: Thing, found: Waiting, { failure, isFinal, latencyMs }: Posted): Promise<void> {
    const pause = isFinal ? undefined : PAUSES_SECONDS[found.tries]
    const dueAt = pause && new Date(Date.parse(this.#deps.now()) + pause * 1_000).toISOString()
    await this.#note(thing, found, 'fail', { failure, latencyMs, ...(dueAt && { dueAt }) })
    this.#deps.onAttempt?.(dueAt ? 'failed' : 'parked', latencyMs)
  }

  /** Notes what became of the next attempt. */
  async #note(thing: Thing, { attempts }: Waiting, name: string, body: object): Promise<void> {
    const part = attempts + 1
    const whole = name === 'omit' ? body : { attempt: part, ...body }
    await give(this.#deps, mail, thing, { by: 'mailer', name, body: whole, part })
  }
}
