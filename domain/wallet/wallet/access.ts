/**
 * Who may use a wallet. One that names no users is open to every caller whose permissions allow the command. Once it
 * names some, entries and holds need a right of its own: that of the owner, of a user that it names, or of an
 * administrator of wallets. What may be read follows from permissions alone, but for the net worth: what a wallet that
 * names its users holds counts for those who may use it.
 */
import { type Context, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { memberOf, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import type { commands } from './messages.ts'
import { OF_PROCESS, type OpenWallet, type Wallet } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Caller = Pick<Context, 'actor' | 'permissions' | 'behalf'>

const ADMINISTERS = 'wallet.wallets.write'
const isGranted = (pattern: string) =>
  pattern === ADMINISTERS || (pattern.endsWith('*') && ADMINISTERS.startsWith(pattern.slice(0, -1)))

/** Whether permissions make an administrator of wallets, whose rights no wallet has to name. */
export const administersWallets = (permissions: readonly string[]): boolean => permissions.some(isGranted)

/** Roles of administrators: events name roles, not permissions, of the user on whose behalf a process acts. */
const ADMINISTRATORS = ['platform-admin', 'organization-admin']

export const CLOSED = ['wallet_closed', 'The wallet is closed and takes no more commands.'] as const

/** The wallet, where it is open and its caller may post to it. A process may, and is asked more where it takes out. */
export function usable(wallet: Wallet, context: Context): OpenWallet {
  const open = inStatus(wallet, 'open', CLOSED)
  mustBeUser(open, context)
  return open
}

/** The wallet, where it is open and its caller may take out of it what no hold has set aside. */
export function payable(wallet: Wallet, context: Context): OpenWallet {
  const open = usable(wallet, context)
  mustBeSentByUser(open, context)
  return open
}

/** Throws where a caller may not post to the wallet. A process may pay in, and end what it has begun. */
function mustBeUser(open: OpenWallet, { actor, permissions }: Caller): void {
  if (isUser(open, actor) || administersWallets(permissions)) return
  throw missing(actor)
}

/** Throws where a process holds money, or takes out what it did not hold, for a user without a right to the wallet. */
export function mustBeSentByUser(open: OpenWallet, { actor, behalf = { subject: actor, roles: [] } }: Caller): void {
  if (!actor.startsWith(OF_PROCESS)) return
  if (isUser(open, behalf.subject) || behalf.roles.some(role => ADMINISTRATORS.includes(role))) return
  throw missing(behalf.subject)
}

const isUser = ({ userCount, owner, users }: OpenWallet, user: string): boolean =>
  userCount === undefined || user === owner || user.startsWith(OF_PROCESS) || memberOf(users!, user) !== undefined

const missing = (user: string) =>
  rejected('wallet_right_missing', 'The wallet names its users: ask its owner for a right.', { user })

function mustManage(open: OpenWallet, { actor, permissions }: Caller): void {
  const managesIt = open.users && memberOf(open.users, actor) === 'manage'
  if (actor === open.owner || managesIt || administersWallets(permissions)) return
  throw rejected('wallet_right_missing', 'Only the owner and managers of the wallet name its users.', { user: actor })
}

/** Gives a user a right, or another one than before. */
export function grant(open: OpenWallet, { user, right, reason }: Command<'grant'>, caller: Caller) {
  mustManage(open, caller)
  const before = open.users && memberOf(open.users, user)
  if (before === right) return []
  if (before === undefined && (open.userCount ?? 0) >= USERS_MAX) {
    throw rejected('wallet_users_too_many', 'The wallet has as many users as it can have.', { most: USERS_MAX })
  }
  return [{ type: 'AccessGranted', data: { user, right, ...because(reason) } }] as const
}
const USERS_MAX = 1_000

export function revoke(open: OpenWallet, { user, reason }: Command<'revoke'>, caller: Caller) {
  mustManage(open, caller)
  if (!open.users || memberOf(open.users, user) === undefined) return []
  return [{ type: 'AccessRevoked', data: { user, ...because(reason) } }] as const
}

/** The wallet with a user of that right, or without. */
export function withUser(open: OpenWallet, user: string, right: 'post' | 'manage' | undefined): OpenWallet {
  const { users = {}, userCount = 0, ...rest } = open
  const isKnown = memberOf(users, user) !== undefined
  const count = userCount + (right === undefined ? -1 : isKnown ? 0 : 1)
  if (count === 0) return rest
  return { ...rest, userCount: count, users: right ? withMember(users, user, right) : withoutMember(users, user) }
}
