/** Sends commands and reads at a steady pace over HTTP and checks each answer against what the log must give. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Client, client } from './client.ts'

const CONNECTIONS = { commands: 48, reads: 16 }
const WALLETS = 8
const TASKS = 8
const TICK_MS = 5
/** Longest wait of a read for its position: the most that the API takes, so that a busy machine has it answered too. */
const WAIT_MS = 30_000
/** A day after every entry, so that all of them count. */
const EVER = '2999-12-31'

const LISTS = [
  '/kwlt/wallets?total=true',
  '/kwlt/accounts?limit=10',
  '/kwlt/wallets/w1/accounts?limit=10',
  '/kwlt/wallets/w2/entries?limit=10',
  '/kwlt/entries?limit=10',
  `/kwlt/wallets/w3/accounts/main/statement?currency=EUR&limit=10`,
  '/kbfc/items?limit=10&total=true',
  '/kctr/tasks?limit=10',
  '/kmg/audit-log?limit=10',
] as const
const SEARCH = '/kse/memories/search?q=invoice'

/** What a command makes, and how a read shows it: the path, and up to which revision of the thing its answer goes. */
type Sent = {
  readonly method: string
  readonly path: string
  readonly body: object
  readonly look: string
  // biome-ignore lint/suspicious/noExplicitAny: data of any route
  readonly shows: (data: any) => bigint
}

/** A command that was answered with 2xx: its last event, and how many events it had. */
export type Accepted = { readonly stream: string; readonly revision: bigint; readonly events: number }

/** A question about the past with its first answer, which is its answer for ever. */
type Past = { readonly org: string; readonly path: string; readonly answer: string }

export type Rates = {
  /** Commands and reads that are sent in a second, whether or not those before are answered. */
  readonly commands: number
  readonly reads: number
  /** One of so many commands is read back; it has no divisor in common with ten, so that each kind is read. */
  readonly lookedAt: number
}

export class Traffic {
  readonly accepted: Accepted[] = []
  /** One line for each failure. */
  readonly failedCommands: string[] = []
  readonly failedReads: string[] = []
  readonly reads = { plain: 0, own: 0, past: 0, repeated: 0 }
  readonly commandMs: number[] = []
  readonly readMs: number[] = []
  #sent = 0
  #read = 0
  readonly #past: Past[] = []
  readonly #commands: Client
  readonly #reads: Client
  readonly #tokens: ReadonlyMap<string, string>

  /** `tokens`: a bearer token of each org. */
  constructor(url: string, tokens: ReadonlyMap<string, string>) {
    // Commands and reads have separate connections, so that reads do not queue behind commands.
    this.#commands = client(url, undefined, CONNECTIONS.commands)
    this.#reads = client(url, undefined, CONNECTIONS.reads)
    this.#tokens = tokens
  }

  close(): void {
    this.#commands.close()
    this.#reads.close()
  }

  /** Makes the things that commands and reads use: wallets with two accounts, and tasks. */
  async prepare(): Promise<void> {
    for (const org of this.#tokens.keys()) {
      let last: { position: string } | undefined
      const all = async (count: number, make: (n: number) => readonly [string, object]) => {
        const receipts = await Promise.all(
          Array.from({ length: count }, (_, n) => this.#command(org, 'POST', ...make(n))),
        )
        last = receipts.at(-1)
      }
      await all(WALLETS, n => ['/kwlt/wallets', { id: `w${n}`, kind: 'business' }])
      for (const account of ['main', 'savings']) {
        const opened = { account, currency: 'EUR', overdraft: 'refused' }
        await all(WALLETS, n => [`/kwlt/wallets/w${n}/accounts`, opened])
      }
      await all(TASKS, n => ['/kctr/tasks', { id: `t${n}`, name: `Task ${n}` }])
      const token = { 'Kogi-Min-Position': last?.position ?? '0' }
      for (const path of LISTS) await this.#get(org, withQuery(path, `wait=${WAIT_MS}`), token)
    }
  }

  /** Sends without waiting for answers, so that slow ones do not slow it down, until `over`; then awaits them all. */
  async run(rates: Rates, over: () => boolean): Promise<void> {
    const pending = new Set<Promise<void>>()
    const begun = performance.now()
    const due = (rate: number) => ((performance.now() - begun) * rate) / 1_000
    const send = (work: Promise<void>) => {
      const sent = work.finally(() => pending.delete(sent))
      pending.add(sent)
    }
    for (let [commands, reads] = [0, 0]; !over(); await sleep(TICK_MS)) {
      for (; commands < due(rates.commands); commands += 1) send(this.#next(commands % rates.lookedAt === 0))
      for (; reads < due(rates.reads); reads += 1) send(this.#readAny())
    }
    await Promise.all(pending)
  }

  /** Asks every question about the past once more. */
  async repeatAll(): Promise<void> {
    for (const past of this.#past) await this.#repeat(past)
  }

  async #next(isLookedAt: boolean): Promise<void> {
    const n = this.#sent++
    const org = this.#orgOf(Math.floor(n / 10))
    const { method, path, body, look, shows } = commandOf(n, Math.floor(n / 10 / this.#tokens.size))
    const receipt = await this.#command(org, method, path, body, `n${n}`)
    if (!receipt || !isLookedAt) return
    const { position, revision } = receipt
    this.reads.own += 1
    const now = await this.#get(org, withQuery(look, `wait=${WAIT_MS}`), { 'Kogi-Min-Position': position })
    if (now && shows(now.body.data) < BigInt(revision)) this.#wrong(`${look} of ${org} does not show ${revision}`)
    const then = await this.#ask(org, look, position)
    if (then && shows(then.body.data) !== BigInt(revision)) this.#wrong(`${look} of ${org} was not at ${revision}`)
    await this.#ask(org, LISTS[n % LISTS.length]!, position)
  }

  /** Asks as of a position for the first time. */
  async #ask(org: string, path: string, position: string): Promise<Answer | undefined> {
    this.reads.past += 1
    const past = withQuery(path, `as_of=${position}&wait=${WAIT_MS}`)
    const found = await this.#get(org, past, { 'Kogi-Min-Position': position })
    if (found) this.#past.push({ org, path: past, answer: contentOf(found) })
    return found
  }

  async #repeat({ org, path, answer }: Past): Promise<void> {
    this.reads.repeated += 1
    const found = await this.#get(org, path)
    if (found && contentOf(found) !== answer) this.#wrong(`${path} of ${org} has another answer now`)
  }

  async #readAny(): Promise<void> {
    const n = this.#read++
    const past = this.#past[(n * 7919) % Math.max(1, this.#past.length)]
    if (n % 2 === 0 && past) return this.#repeat(past)
    this.reads.plain += 1
    await this.#get(this.#orgOf(n), [...LISTS, SEARCH, '/kctr/tasks/t1'][n % (LISTS.length + 2)]!)
  }

  async #command(org: string, method: string, path: string, body: object, key?: string) {
    const headers = key === undefined ? {} : { 'Idempotency-Key': key }
    const begun = performance.now()
    const answer = await this.#call(org, method, path, body, headers)
    this.commandMs.push(performance.now() - begun)
    if (typeof answer === 'string' || answer.status >= 300) {
      this.failedCommands.push(`${method} ${path} of ${org}: ${inWords(answer)}`)
      return undefined
    }
    const { stream, revision, events } = answer.body.data
    this.accepted.push({ stream, revision: BigInt(revision), events: events.length })
    return answer.body.data as { position: string; revision: string }
  }

  async #get(org: string, path: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    const begun = performance.now()
    const answer = await this.#call(org, 'GET', path, undefined, headers)
    this.readMs.push(performance.now() - begun)
    if (typeof answer !== 'string' && answer.status === 200) return answer
    this.#wrong(`${path} of ${org}: ${inWords(answer)}`)
    return undefined
  }

  #call(org: string, method: string, path: string, body: object | undefined, headers: Record<string, string>) {
    const authorization = `Bearer ${this.#tokens.get(org)}`
    const call = { ...(body && { body }), headers: { authorization, ...headers } }
    const through = method === 'GET' ? this.#reads : this.#commands
    return through.call(method, `/api/v1${path}`, call).catch((error: Error) => error.message)
  }

  #wrong(what: string): void {
    this.failedReads.push(what)
  }

  #orgOf(n: number): string {
    return [...this.#tokens.keys()][n % this.#tokens.size]!
  }
}

/** Of ten commands six post to a wallet, two add an item, one creates a task and one changes one. */
function commandOf(n: number, round: number): Sent {
  const kind = n % 10
  if (kind < 6) {
    const wallet = `/kwlt/wallets/w${round % WALLETS}`
    const [external, currency] = ['external:client', 'EUR']
    const postings = [
      { account: 'main', currency, amount: '1' },
      { account: 'savings', currency, amount: '2' },
      { account: external, currency, amount: '-3' },
    ]
    return {
      method: 'POST',
      ...(kind < 3
        ? { path: `${wallet}/credits`, body: { account: 'main', currency, amount: '1', counterparty: external } }
        : { path: `${wallet}/entries`, body: { postings, description: `Invoice ${n}` } }),
      look: `${wallet}/accounts/main/statement?currency=EUR&order=posted&limit=5&effective_at=${EVER}`,
      // Three events come before the entries, and each entry adds one cent.
      shows: ({ balance }) => BigInt(balance) + 2n,
    }
  }
  const shows = ({ revision }: { revision: string }) => BigInt(revision)
  const named = { id: `n${n}`, name: `Invoice ${n}` }
  if (kind < 8) return { method: 'POST', path: '/kbfc/items', body: named, look: `/kbfc/items/n${n}`, shows }
  if (kind < 9) return { method: 'POST', path: '/kctr/tasks', body: named, look: `/kctr/tasks/n${n}`, shows }
  const task = `/kctr/tasks/t${round % TASKS}`
  return { method: 'PUT', path: `${task}/status`, body: { status: `s${n}` }, look: task, shows }
}

const withQuery = (path: string, query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`

const contentOf = ({ body: { data, pagination } }: Answer) => JSON.stringify({ data, pagination })

const inWords = (answer: Answer | string) =>
  typeof answer === 'string' ? answer : `${answer.status} ${JSON.stringify(answer.body)}`
