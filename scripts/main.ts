/** Runs the verb of the command line. */
import { endWithParent } from '../infra/children.ts'
import { endWithUsage, fail, forgivePipes } from './failing.ts'
import { program } from './program.ts'

endWithParent()
forgivePipes()
const kogi = await program(process.argv[2])
endWithUsage(kogi)
await kogi.parseAsync().catch(error => fail(error))
