/** Gives commands to users in the place of the users themselves, who have just proved who they are. */
import { randomUUID } from 'node:crypto'
import type { Receipt } from '../../commands/command.ts'
import { execute, type WriteDeps } from '../../commands/execute.ts'
import { user } from '../../domain/identity/user/user.ts'
import type { Users } from '../access/users.ts'

/** `id`: the user, whose own org has the same id. */
export type GiveUser = (
  id: string,
  name: keyof typeof user.commands & string,
  body: object,
  correlationId: string,
) => Promise<Receipt>

export const giveUser =
  (deps: WriteDeps, users: Pick<Users, 'changed'>): GiveUser =>
  async (id, name, body, correlationId) => {
    const receipt = await execute(deps, {
      aggregate: user,
      name,
      id: user.only!,
      opens: true,
      body,
      idempotencyKey: randomUUID(),
      principal: { subject: id, org: id, roles: [], permissions: [] },
      correlationId,
    })
    users.changed(id)
    return receipt
  }
