import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { Store } from '../../../infra/embedded/event-store/store.ts'

/**
 * A server that kills itself: `server.ts <folder> <stage> <commits>` dies at the commit of that number, before it is
 * written, while it is written, or when it is on disk and nobody has been told.
 */
const [folder, stage, commits] = process.argv.slice(2)
const { prototype } = Store
const commit = prototype.commit
let count = 0
prototype.commit = async function (changes) {
  const dies = ++count === Number(commits)
  if (dies && stage === 'before') process.kill(process.pid, 'SIGKILL')
  const written = commit.call(this, changes)
  if (dies && stage === 'during') setImmediate(() => process.kill(process.pid, 'SIGKILL'))
  await written
  if (dies && stage === 'after') process.kill(process.pid, 'SIGKILL')
}
const server = await startEventStore({ dataDir: folder! })
process.stdout.write(`${server.url}\n`)
