/** `kogi-verify`: the checks of an export and of a row as one file, which auditors run with nothing but Node. */
import { isMainThread } from 'node:worker_threads'
import { verifyCommand } from './audit-verify.ts'
import { fail, STATUS } from './failing.ts'
import { verifyRowCommand } from './verify-row.ts'

const NAME = 'kogi-verify'

// Threads that check a part of an export load this file too.
if (isMainThread) {
  verifyCommand()
    .name(NAME)
    .enablePositionalOptions()
    .addCommand(verifyRowCommand().name('row'))
    .parseAsync()
    .catch(error => fail(error, { refused: STATUS.refused }))
}
