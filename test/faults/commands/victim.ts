// A write side that is killed: `victim.ts <event store> <place> <count>`. It takes commands as messages, and dies at
// the count-th append: before it begins, while it is under way, or when it is stored and not answered yet.
import { commandStore } from '../../../infra/event-store/command-store.ts'
import { startProcess } from '../../commands/support.ts'

const [url, place, count] = process.argv.slice(2)
const store = commandStore(url!)
let left = Number(count)
const die = () => process.kill(process.pid, 'SIGKILL')
const { send } = startProcess({
  ...store,
  async append(stream, expected, events) {
    left -= 1
    if (left > 0) return store.append(stream, expected, events)
    if (place === 'before') die()
    const appending = store.append(stream, expected, events)
    if (place === 'during') setImmediate(() => setImmediate(die))
    const appended = await appending
    if (place === 'after') die()
    return appended
  },
})
/** A command as a message: amounts are texts there. */
type Sent = { readonly name: string; readonly wallet: string; readonly key: string; readonly body: { amount?: string } }
process.on('message', ({ name, wallet, key, body: { amount, ...rest } }: Sent) => {
  const body = { ...rest, ...(amount !== undefined && { amount: BigInt(amount) }) }
  send({ name, id: wallet, body, idempotencyKey: key }).then(
    ({ revision }) => process.send!({ key, revision: String(revision) }),
    (error: { code?: string }) => process.send!({ key, code: error.code ?? String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send!('ready')
