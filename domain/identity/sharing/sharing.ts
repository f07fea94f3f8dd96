import { aggregate, type Context, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { organizationOfOrg, type People } from '../people.ts'
import { administers } from '../roles.ts'
import { commands, events, rejections, type THING_ROLES } from './messages.ts'

/** What one thing allows one person or team. */
export type Grant = {
  readonly grant: string
  readonly category: string
  readonly thing: string
  readonly kind: 'user' | 'team'
  readonly with: string
  readonly role: (typeof THING_ROLES)[number]
  readonly until?: string | undefined
}

type Delegation = {
  readonly delegation: string
  readonly from: string
  readonly to: string
  readonly roles: readonly string[]
  readonly until: string
}

export type Sharing = {
  readonly status: 'empty' | 'kept'
  readonly grants: Keyed<Grant>
  readonly count: number
  /** Ids of the grants of each thing, by `thingKey`. */
  readonly ofThing: Keyed<readonly string[]>
  readonly delegations: Keyed<Delegation>
  readonly delegated: number
  /** Ids of what was delegated to each person. */
  readonly toUser: Keyed<readonly string[]>
}

/** The id of the one list of an organization. */
const SHARING = 'sharing'
const GRANTS_MAX = 50_000
const DELEGATIONS_MAX = 5_000

const thingKey = (category: string, thing: string): string => `${category} ${thing}`

const listed = (lists: Keyed<readonly string[]>, key: string, id: string) =>
  withMember(lists, key, [...(memberOf(lists, key) ?? []), id])

function unlisted(lists: Keyed<readonly string[]>, key: string, id: string): Keyed<readonly string[]> {
  const left = (memberOf(lists, key) ?? []).filter(each => each !== id)
  return left.length > 0 ? withMember(lists, key, left) : withoutMember(lists, key)
}

const evolve: Evolve<Sharing, typeof events> = {
  ThingShared: (state, { reason: _, ...shared }) => ({
    ...state,
    status: 'kept',
    grants: withMember(state.grants, shared.grant, shared),
    count: state.count + 1,
    ofThing: listed(state.ofThing, thingKey(shared.category, shared.thing), shared.grant),
  }),
  ThingUnshared: (state, { grant, category, thing }) => ({
    ...state,
    grants: withoutMember(state.grants, grant),
    count: state.count - 1,
    ofThing: unlisted(state.ofThing, thingKey(category, thing), grant),
  }),
  RolesDelegated: (state, { reason: _, ...given }) => ({
    ...state,
    status: 'kept',
    delegations: withMember(state.delegations, given.delegation, given),
    delegated: state.delegated + 1,
    toUser: listed(state.toUser, given.to, given.delegation),
  }),
  DelegationEnded: (state, { delegation, to }) => ({
    ...state,
    delegations: withoutMember(state.delegations, delegation),
    delegated: state.delegated - 1,
    toUser: unlisted(state.toUser, to, delegation),
  }),
}

const decide: Decide<Sharing, typeof commands, typeof events> = {
  share(state, { grant, ...asked }, context) {
    mustOwn(state, asked, context)
    if (isNarrowed(context)) throw rejected('thing_not_yours', NARROWED)
    mustCome(asked.until, context)
    const id = grant ?? context.newId(0)
    if (memberOf(state.grants, id)) throw rejected('grant_exists', 'Choose another id for the grant.', { grant: id })
    const same = grantsOn(state, asked.category, asked.thing).find(
      each => each.kind === asked.kind && each.with === asked.with,
    )
    if (same && isOpen(same, context.at)) {
      throw rejected('thing_already_shared', 'End that grant first.', { grant: same.grant })
    }
    if (state.count >= GRANTS_MAX) throw rejected('grants_full', 'End grants that nobody needs.', { most: GRANTS_MAX })
    return [{ type: 'ThingShared', data: { grant: id, ...asked } }]
  },
  unshare(state, { grant, reason }, context) {
    const there = memberOf(state.grants, grant)
    if (there === undefined) return []
    const isOwn = there.kind === 'user' && there.with === context.actor
    if (!isOwn) mustOwn(state, there, context)
    const { category, thing } = there
    return [{ type: 'ThingUnshared', data: { grant, category, thing, ...because(reason) } }]
  },
  delegate(state, { delegation, ...asked }, context) {
    const { actor, newId } = context
    const member = memberOf((context.seen as People).members, actor)
    const lacking = asked.roles.find(role => member?.status !== 'active' || !member.roles.includes(role))
    if (lacking !== undefined || asked.to === actor) {
      const message = 'Roles that you were given as a member, and no others, can be delegated to another person.'
      throw rejected('delegation_not_yours', message, { role: lacking ?? asked.roles[0]! })
    }
    if (isNarrowed(context)) throw rejected('delegation_not_yours', NARROWED)
    mustCome(asked.until, context)
    const id = delegation ?? newId(0)
    if (memberOf(state.delegations, id)) throw rejected('delegation_exists', 'Choose another id.', { delegation: id })
    if (state.delegated >= DELEGATIONS_MAX) {
      throw rejected('delegations_full', 'End delegations that are over.', { most: DELEGATIONS_MAX })
    }
    return [{ type: 'RolesDelegated', data: { delegation: id, from: actor, ...asked } }]
  },
  endDelegation(state, { delegation, reason }, context) {
    const there = memberOf(state.delegations, delegation)
    if (there === undefined) return []
    if (![there.from, there.to].includes(context.actor) && !administers(context)) {
      throw rejected('delegation_not_yours', 'It is ended by those between whom it is, or by an administrator.')
    }
    return [{ type: 'DelegationEnded', data: { delegation, to: there.to, ...because(reason) } }]
  },
}

/** What is shared of single things, and which roles people have lent to others for a while. */
export const sharing = aggregate({
  name: 'sharing',
  only: SHARING,
  events,
  commands,
  api: {
    share: [
      'POST /grants',
      'grants.write',
      'Share a thing with a person or a team; its owners and administrators may.',
    ],
    unshare: ['DELETE /grants/:grant', 'grants.write', 'End a grant.'],
    delegate: ['POST /delegations', 'delegations.write', 'Lend roles of your own to another person, until a time.'],
    endDelegation: ['DELETE /delegations/:delegation', 'delegations.write', 'End a delegation before its time.'],
  },
  rejections,
  initial: {
    status: 'empty',
    grants: noneKeyed,
    count: 0,
    ofThing: noneKeyed,
    delegations: noneKeyed,
    delegated: 0,
    toUser: noneKeyed,
  } as Sharing,
  evolve,
  decide,
  sees: { delegate: () => organizationOfOrg },
  stateSchema: 1,
  activity: {
    on: {
      ThingShared: ({ category, thing, with: grantee }) =>
        said`shared the ${category} ${mention(category, thing)} with ${grantee}`,
      ThingUnshared: ({ category, thing }) => said`ended a grant on the ${category} ${mention(category, thing)}`,
      RolesDelegated: ({ to, until }) => said`handed roles to ${mention('inbox', to)} until ${until}`,
      DelegationEnded: ({ to }) => said`ended the roles that ${mention('inbox', to)} was lent`,
    },
  },
})

/** Whether something counts at an instant. */
export const isOpen = ({ until }: { readonly until?: string | undefined }, at: string): boolean =>
  until === undefined || at < until

/** What is shared of a thing, what is over too. */
export const grantsOn = (state: Sharing, category: string, thing: string): readonly Grant[] =>
  (memberOf(state.ofThing, thingKey(category, thing)) ?? []).map(grant => memberOf(state.grants, grant)!)

/** Whether a grant is to a person, or to a team that they are in. */
export const isTo = ({ kind, with: grantee }: Grant, user: string, teams: readonly string[]): boolean =>
  kind === 'user' ? grantee === user : teams.includes(grantee)

/** Refuses to share by those who neither administer the organization nor own the thing by a grant. */
function mustOwn(state: Sharing, { category, thing }: Pick<Grant, 'category' | 'thing'>, context: Context): void {
  const { actor, teams = [], at } = context
  const isOwner = grantsOn(state, category, thing).some(
    grant => grant.role === 'owner' && isOpen(grant, at) && isTo(grant, actor, teams),
  )
  if (isOwner || administers(context)) return
  throw rejected('thing_not_yours', 'A thing is shared by its owners and by administrators.', { category, thing })
}

/** Whether scopes allow the caller less than what is passed on here, which they would widen in another's hands. */
const isNarrowed = (context: Context): boolean => context.scoped !== undefined && !administers(context)
const NARROWED = 'Roles and things are passed on without scopes, or with those of `identity.*`.'

function mustCome(until: string | undefined, { at }: Context): void {
  if (until !== undefined && until <= at) throw rejected('sharing_over', 'Name a time to come.', { until })
}
