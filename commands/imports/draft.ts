/** A wallet as an import unfolds in memory: every step is decided by the wallet's own rules before one is written. */
import type { Context } from '../../domain/kernel/aggregate.ts'
import { KogiError, Rejection } from '../../domain/kernel/errors.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { commands } from '../../domain/wallet/wallet/messages.ts'
import { accountOf, type Wallet, wallet, walletPlacesOf } from '../../domain/wallet/wallet/wallet.ts'
import { commandIdOf, streamOf, uuidOf } from '../ids.ts'
import { isOwn } from './rows.ts'
import { type Posted, standingFor, type WalletState } from './wallet-state.ts'

/** The wallet that an import goes into, and who imports. */
export type Target = {
  readonly org: string
  readonly wallet: string
  readonly subject: string
  readonly permissions: readonly string[]
}

/** A command for the wallet. */
export type Step = {
  readonly command: 'open' | 'openAccount' | 'post'
  readonly body: object
  readonly key: string
  /** What a refusal names it by: `line 12`. */
  readonly place: string
}

type PostBody = {
  readonly postings: readonly { readonly account: string; readonly currency: string }[]
  readonly tags: readonly string[]
}

export class WalletDraft {
  readonly steps: Step[] = []
  readonly before: WalletState
  state: Wallet
  readonly #target: Target
  readonly #stream: string
  readonly #at: string
  readonly #fit = new Set<string>()
  /** What needs no opening any more. */
  readonly #open = new Set<string>()
  readonly #undone: ReadonlySet<string>

  /** `undone`: ids of imports that were taken back, or are being. */
  constructor(target: Target, before: WalletState, at: string, undone: ReadonlySet<string> = new Set()) {
    this.#target = target
    this.#undone = undone
    this.#at = at
    this.before = before
    this.#stream = streamOf(target.org, wallet.name, target.wallet)
    this.state = before.state
  }

  /**
   * The entry of a key, or the first key after it whose entry is of no import that was taken back. Throws where such an
   * entry still stands: booked once more, it would count twice.
   */
  find(first: string): { readonly key: string; readonly there: Posted | undefined } {
    for (let n = 1; ; n += 1) {
      const key = n === 1 ? first : `${first}:again:${n}`
      const there = this.before.posted.get(this.#commandIdOf(key))
      const { source = '' } = there ?? {}
      if (!there || !this.#undone.has(source)) return { key, there }
      if (standingFor(there, this.before)) throw undoUnfinished(source, there.entry)
    }
  }

  /** Opens an account of the wallet where it is not open in that currency. */
  open(account: string, currency: string, places: number, place: string): void {
    const name = JSON.stringify([account, currency])
    if (this.#open.has(name)) return
    if (isOwn(account) && !accountOf(this.state, account, currency)) this.#openNew(account, currency, places, place)
    this.#open.add(name)
  }

  #openNew(account: string, currency: string, places: number, place: string): void {
    const body = { account, currency, places, overdraft: 'allowed' } as const
    this.decide({ command: 'openAccount', body, key: `import:account:${uuidOf([account, currency])}`, place })
  }

  /** Whether the wallet or ISO 4217 says how many decimal places a currency has. */
  isKnown(currency: string): boolean {
    return walletPlacesOf(this.state, currency) !== undefined || placesOf(currency) !== undefined
  }

  /** Decimal places of a currency: those of the wallet, of ISO 4217, or as many as are needed. */
  placesOf(currency: string, needed: number): number {
    return walletPlacesOf(this.state, currency) ?? placesOf(currency) ?? needed
  }

  decide(step: Step): void {
    const { command, body, key, place } = step
    this.#mustFit(step)
    const { org, wallet: id, subject: actor, permissions } = this.#target
    // The state of a wallet knows no ids of entries: what the write path will make of the key has no say here.
    const newId = (n: number) => `${key}:${n}`
    const context: Context = { id, org, actor, permissions, at: this.#at, newId }
    try {
      for (const { type, data } of wallet.decide[command](this.state, body as never, context)) {
        this.state = wallet.evolve[type](this.state, data as never, this.#at)
      }
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      const facts = error.details.map(({ field, message }) => `${field} ${message}`).join(', ')
      throw refusal(place, [error.message, facts && `(${facts})`].filter(Boolean).join(' '), error)
    }
    this.steps.push(step)
  }

  /**
   * Refuses a body that the command's schema does not take. Amounts, days and texts of rows fit by how they were made:
   * of entries with the same accounts, currency and tags one is looked at.
   */
  #mustFit({ command, body, place }: Step): void {
    const { postings = [], tags = [] } = body as Partial<PostBody>
    const shape = JSON.stringify([command, postings.map(({ account, currency }) => [account, currency]), tags])
    if (command === 'post' && this.#fit.has(shape)) return
    const { error } = commands[command].safeEncode(body as never)
    if (error) {
      const field = error.issues[0]!.path.join('.') || 'entry'
      throw refusal(place, `No wallet takes this ${field}: ${error.issues[0]!.message}.`)
    }
    this.#fit.add(shape)
  }

  #commandIdOf(key: string): string {
    return commandIdOf(this.#target.org, this.#stream, key)
  }
}

const refusal = (field: string, message: string, cause?: unknown) =>
  new KogiError('import_invalid', `${field}: ${message} Nothing was written.`, [{ field, message }], { cause })

const undoUnfinished = (own: string, entry: string) =>
  new KogiError(
    'import_undo_unfinished',
    `The import ${own} is not taken back whole yet: its entry ${entry} stands. Undo it again, then import the file.`,
    [
      { field: 'import', message: own },
      { field: 'entry', message: entry },
    ],
  )
