/** `kogi-verify`: the checks of an export and of a row as one file, which auditors run with nothing but Node. */
import { verifyCommand } from './audit-verify.ts'
import { fail, STATUS } from './failing.ts'
import { verifyRowCommand } from './verify-row.ts'

const NAME = 'kogi-verify'

verifyCommand()
  .name(NAME)
  .enablePositionalOptions()
  .addCommand(verifyRowCommand().name('row'))
  .parseAsync()
  .catch(error => fail(error, { refused: STATUS.refused }))
