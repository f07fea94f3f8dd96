/**
 * A server that kills itself: `server.ts <folder> <stage> <commits>` dies at the commit of that number, before it is
 * written (`before`), while it is written (`during`), or when it is on disk and unanswered (`after`); or while its tail
 * moves into the tables (`moving`), or when the tables have it and the journal does not know (`moved`).
 */
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { Store } from '../../../infra/embedded/event-store/log/store.ts'
import { Tables } from '../../../infra/embedded/event-store/log/tables.ts'
import { Tail } from '../../../infra/embedded/event-store/log/tail.ts'
import { endWithParent } from '../../contracts/event-store/child.ts'

const [folder, stage, commits] = process.argv.slice(2)
/** Commits after which a tail moves into the tables: so few that every run moves some. */
const COMMITS_PER_TAIL = 8

endWithParent()

const die = (): void => void process.kill(process.pid, 'SIGKILL')
let commitCount = 0
const { commit } = Store.prototype
Store.prototype.commit = async function (changes) {
  const dies = ++commitCount === Number(commits)
  if (dies && stage === 'before') die()
  const written = commit.call(this, changes)
  if (dies && stage === 'during') setImmediate(die)
  await written
  if (dies && stage === 'after') die()
}

Object.defineProperty(Tail.prototype, 'isLong', {
  get(this: Tail) {
    return this.blocks.length >= COMMITS_PER_TAIL
  },
})
const { put } = Tables.prototype
Tables.prototype.put = async function (tail, state) {
  const dies = commitCount >= Number(commits)
  const written = put.call(this, tail, state)
  if (dies && stage === 'moving') setTimeout(die, Math.random() * 3)
  await written
  if (dies && stage === 'moved') die()
}
const server = await startEventStore({ dataDir: folder! })
process.stdout.write(`${server.url}\n`)
