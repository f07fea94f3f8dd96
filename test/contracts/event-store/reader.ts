/** Reads a folder twice: `reader.ts <folder>` prints the number of its blocks now and again when its input ends. */
import { once } from 'node:events'
import { withReader } from '../../../infra/embedded/event-store/care/folder.ts'

await withReader(process.argv[2]!, async store => {
  process.stdout.write(`${[...store.allBlocks()].length}\n`)
  process.stdin.resume()
  await once(process.stdin, 'end')
  process.stdout.write(`${[...store.allBlocks()].length}\n`)
})
