/** `kogi-verify`: the check of an export as one file, which auditors run with nothing but Node. */
import { verifyCommand } from './audit-verify.ts'
import { fail, STATUS } from './failing.ts'

const NAME = 'kogi-verify'

verifyCommand()
  .name(NAME)
  .parseAsync()
  .catch(error => fail(error, { refused: STATUS.refused }))
