import { expect } from 'chai'
import { item } from '../../../domain/briefcase/item/item.ts'
import type { events } from '../../../domain/briefcase/item/messages.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { Json } from '../../../domain/kernel/json.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Metadata = { readonly [key: string]: Json }

const { given } = specFor(item)
const body = { type: 'app', status: 'draft', name: 'Clock' }
type Added = { description?: string; metadata?: Metadata; status?: string; lifecycle?: 'standard' | 'free' }
const added = (more: Added = {}): Fact => ({
  type: 'ItemAdded',
  data: { ...body, metadata: {}, owner: 'user-1', lifecycle: 'standard', ...more },
})
const addedBy = (template: string): Fact => ({
  type: 'ItemAdded',
  data: { ...body, metadata: {}, owner: 'user-1', lifecycle: 'standard', template },
})
const valued = (amount: bigint, on: string): Fact => ({ type: 'ItemValued', data: { amount, currency: 'EUR', on } })
const shared = (role: 'reader' | 'editor' | 'owner', grantee = 'user-1'): Fact => ({
  type: 'ItemShared',
  data: { kind: 'user', with: grantee, role },
})
const team = (name: string, role: 'reader' | 'editor' | 'owner'): Fact => ({
  type: 'ItemShared',
  data: { kind: 'team', with: name, role },
})
const byAnother: Fact = { type: 'ItemAdded', data: { ...body, metadata: {}, owner: 'mira' } }
const restricted: Fact = { type: 'ItemEditingSet', data: { editing: 'restricted' } }
const updated = (data: Extract<Fact, { type: 'ItemUpdated' }>['data']): Fact => ({ type: 'ItemUpdated', data })
const moved = (from: string, to: string): Fact => ({ type: 'ItemStatusChanged', data: { from, to } })
const archived: Fact = { type: 'ItemArchived', data: {} }

describe('item', () => {
  describe('add', () => {
    it('belongs to its adder', () => given().when('add', body).then(added()))
    it('keeps description and metadata', () => {
      const more = { description: 'Tells the time.', metadata: { stars: 5, tags: ['time'] } }
      given()
        .when('add', { ...body, ...more })
        .then(added(more))
    })
    it('happens once, until the item is archived', () => {
      given(added()).when('add', body).rejects('item_already_added')
      given(added(), archived).when('add', body).then(added())
      given(added(), archived, added()).when('add', body).rejects('item_already_added')
    })
    it('is made anew by its owners alone, and shared with nobody then', () => {
      given(byAnother, archived).when('add', body).rejects('item_not_yours')
      given(byAnother, shared('editor'), archived).when('add', body).rejects('item_not_yours')
      given(byAnother, archived)
        .when('add', body, { permissions: ['briefcase.*'] })
        .then(added())
      given(added(), shared('reader', 'jon'), team('design', 'editor'), archived)
        .when('add', body)
        .then(
          { type: 'ItemUnshared', data: { kind: 'user', with: 'jon' } },
          { type: 'ItemUnshared', data: { kind: 'team', with: 'design' } },
          added(),
        )
    })
    it('takes from a template what it says, and not what is null in it', () => {
      const seen = { status: 'present', owner: 'mira', fields: { title: 'Shop', type: 'app', description: null } }
      given().when('add', { name: 'Clock', template: 'shop' }, { seen }).then(addedBy('shop'))
    })
  })

  describe('update', () => {
    it('states only what changes', () => {
      given(added())
        .when('update', { name: 'Watch' })
        .then(updated({ name: 'Watch' }))
      given(added())
        .when('update', { name: 'Clock', description: 'Ticks.' })
        .then(updated({ description: 'Ticks.' }))
    })
    it('changes nothing where all is so', () => {
      given(added()).when('update', {}).changesNothing()
      given(added()).when('update', { name: 'Clock', description: null, metadata: {} }).changesNothing()
    })
    it('takes a description away with null', () =>
      given(added({ description: 'Ticks.' }))
        .when('update', { description: null })
        .then(updated({ description: null })))
    it('compares metadata by its meaning, not by the order of its keys', () => {
      const facts = added({ metadata: { a: 1, b: { c: [1, 2], d: 3 } } })
      given(facts)
        .when('update', { metadata: { b: { d: 3, c: [1, 2] }, a: 1 } })
        .changesNothing()
      given(facts)
        .when('update', { metadata: { b: { c: [2, 1] } } })
        .then(updated({ metadata: { a: 1, b: { c: [2, 1], d: 3 } } }))
    })
    it('merges metadata: null removes a member, at any depth, or all of them', () => {
      const facts = added({ metadata: { a: 1, b: { c: 2, d: 3 } } })
      given(facts)
        .when('update', { metadata: { a: null, b: { c: null }, e: { f: null, g: 1 } } })
        .then(updated({ metadata: { b: { d: 3 }, e: { g: 1 } } }))
      given(facts)
        .when('update', { metadata: null })
        .then(updated({ metadata: {} }))
    })
    it('refuses what metadata would be too large for', () => {
      const many = (letter: string) => Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`${letter}${n}`, n]))
      given(added({ metadata: many('a') }))
        .when('update', { metadata: many('b') })
        .rejects('item_metadata_too_large')
    })
    it('takes keys that mean something to JavaScript or to a snapshot', () => {
      const metadata = { constructor: 1, toString: 'x', hasOwnProperty: false, $bigint: '7', $$: 1 }
      given(added()).when('update', { metadata }).then(updated({ metadata }))
      given(added({ metadata })).when('update', { metadata }).changesNothing()
    })
    it('is over once archived', () => given(added(), archived).when('update', { name: 'X' }).rejects('item_archived'))
  })

  describe('change status', () => {
    it('says from where to where', () =>
      given(added(), moved('draft', 'active'))
        .when('changeStatus', { status: 'on-hold' })
        .then(moved('active', 'on-hold')))
    it('takes the moves of the standard lifecycle alone, and names them', () => {
      given(added()).when('changeStatus', { status: 'completed' }).rejects('item_status_not_allowed')
      given(added()).when('changeStatus', { status: 'live' }).rejects('item_status_not_allowed')
      given(added()).when('update', { status: 'live' }).rejects('item_status_not_allowed')
    })
    it('takes any word where the lifecycle is free', () => {
      const free = added({ status: 'New', lifecycle: 'free' })
      given(free, moved('New', 'live')).when('changeStatus', { status: 'sold' }).then(moved('live', 'sold'))
    })
    it('is free for items of before there was a lifecycle', () =>
      given(byAnother).when('changeStatus', { status: 'sold' }).then(moved('draft', 'sold')))
    it('begins free with a word of its own, and standard with a word of the standard lifecycle', () => {
      given()
        .when('add', { ...body, status: 'New' })
        .then(added({ status: 'New', lifecycle: 'free' }))
      given()
        .when('add', { ...body, lifecycle: 'free' })
        .then(added({ lifecycle: 'free' }))
      given()
        .when('add', { ...body, status: 'New', lifecycle: 'standard' })
        .rejects('item_status_not_allowed')
    })
    it('changes nothing where it is so', () =>
      given(added()).when('changeStatus', { status: 'draft' }).changesNothing())
    it('is over once archived', () =>
      given(added(), archived).when('changeStatus', { status: 'draft' }).rejects('item_archived'))
  })

  describe('archive', () => {
    it('may give a reason', () => {
      given(added()).when('archive', {}).then(archived)
      given(added())
        .when('archive', { reason: 'sold' })
        .then({ type: 'ItemArchived', data: { reason: 'sold' } })
    })
    it('is already so the second time', () =>
      given(added(), archived).when('archive', { reason: 'x' }).changesNothing())
  })

  describe('restore', () => {
    it('gives an archived item back as it was', () =>
      given(added(), moved('draft', 'active'), archived).when('restore', {}).then({ type: 'ItemRestored', data: {} }))
    it('changes nothing where it is not archived', () => given(added()).when('restore', {}).changesNothing())
  })

  describe('value', () => {
    it('is of the day of the command where none is named', () =>
      given(added())
        .when('appraise', { amount: 5n, currency: 'EUR' })
        .then(valued(5n, CONTEXT.at.slice(0, 10))))
    it('may be of any day, and of the same day again', () => {
      given(added(), valued(5n, '2026-01-01'))
        .when('appraise', { amount: 6n, currency: 'EUR', on: '2025-01-01' })
        .then(valued(6n, '2025-01-01'))
      given(added(), valued(5n, '2026-01-01'))
        .when('appraise', { amount: 5n, currency: 'EUR', on: '2026-01-01' })
        .changesNothing()
    })
    it('keeps the decimal places that are said', () => {
      given(added())
        .when('appraise', { amount: 5n, currency: 'OWN', places: 0, on: '2026-01-01' })
        .then({ type: 'ItemValued', data: { amount: 5n, currency: 'OWN', places: 0, on: '2026-01-01' } })
    })
    it('is taken back once', () => {
      const withdrawn: Fact = { type: 'ItemValueWithdrawn', data: { on: '2026-01-01' } }
      given(added(), valued(5n, '2026-01-01'))
        .when('withdrawValue', { on: '2026-01-01' }, { found: { type: 'ItemValued' } as never })
        .then(withdrawn)
      given(added(), valued(5n, '2026-01-01'), withdrawn)
        .when('withdrawValue', { on: '2026-01-01' }, { found: { type: 'ItemValueWithdrawn' } as never })
        .changesNothing()
      given(added(), valued(5n, '2026-01-01'), withdrawn)
        .when('appraise', { amount: 5n, currency: 'EUR', on: '2026-01-01' })
        .then(valued(5n, '2026-01-01'))
    })
    it('ends the shares of before, also where a log of before says nothing of them', () => {
      given(byAnother, shared('owner'), archived, byAnother)
        .when('share', { kind: 'user', with: 'jon', role: 'editor' })
        .rejects('item_not_yours')
      given(byAnother, shared('editor'), archived, byAnother, restricted)
        .when('update', { name: 'X' })
        .rejects('item_not_yours')
    })
    it('that was never there cannot be taken back', () =>
      given(added()).when('withdrawValue', { on: '2026-01-01' }).rejects('item_value_unknown'))
  })

  describe('sharing', () => {
    it('is for owners', () => {
      given(byAnother).when('share', { kind: 'user', with: 'jon', role: 'editor' }).rejects('item_not_yours')
      given(byAnother, shared('editor'))
        .when('share', { kind: 'user', with: 'jon', role: 'editor' })
        .rejects('item_not_yours')
      given(byAnother, shared('owner'))
        .when('share', { kind: 'user', with: 'jon', role: 'editor' })
        .then(shared('editor', 'jon'))
    })
    it('gives one role to each, and says nothing twice', () => {
      given(added(), shared('reader', 'jon'))
        .when('share', { kind: 'user', with: 'jon', role: 'reader' })
        .changesNothing()
      given(added(), shared('reader', 'jon'))
        .when('share', { kind: 'user', with: 'jon', role: 'owner' })
        .then(shared('owner', 'jon'))
      given(added()).when('unshare', { kind: 'user', with: 'jon' }).changesNothing()
      given(added(), shared('reader', 'jon'))
        .when('unshare', { kind: 'user', with: 'jon' })
        .then({ type: 'ItemUnshared', data: { kind: 'user', with: 'jon' } })
    })
    it('lets readers change nothing, and others what the organization lets them', () => {
      given(byAnother, shared('reader')).when('update', { name: 'X' }).rejects('item_not_yours')
      given(byAnother, shared('reader')).when('archive', {}).rejects('item_not_yours')
      given(byAnother)
        .when('update', { name: 'X' })
        .then(updated({ name: 'X' }))
    })
    it('gives teams their roles, the highest of all that a caller has', () => {
      const teams = ['design', 'sales']
      given(byAnother, restricted, team('design', 'editor')).when('update', { name: 'X' }).rejects('item_not_yours')
      given(byAnother, team('design', 'reader')).when('update', { name: 'X' }, { teams }).rejects('item_not_yours')
      given(byAnother, restricted, shared('reader'), team('sales', 'editor'))
        .when('update', { name: 'X' }, { teams })
        .then(updated({ name: 'X' }))
      given(byAnother, team('sales', 'owner'))
        .when('share', { kind: 'user', with: 'jon', role: 'editor' }, { teams })
        .then(shared('editor', 'jon'))
    })
    it('lets administrators act through a process, and nobody else by its name', () => {
      const behalf = { subject: 'root', roles: ['organization-admin'] }
      const ask = (by: { subject: string; roles: string[] }) =>
        given(byAnother, restricted).when('update', { name: 'X' }, { actor: 'process:x', behalf: by })
      ask(behalf).then(updated({ name: 'X' }))
      ask({ ...behalf, roles: ['team-lead'] }).rejects('item_not_yours')
    })
    it('counts the teams of the user on whose behalf a process acts', () => {
      const process = { actor: 'process:x', behalf: { subject: 'mira-2', roles: [], teams: ['design'] } }
      given(byAnother, team('design', 'reader')).when('update', { name: 'X' }, process).rejects('item_not_yours')
      given(byAnother, restricted, team('design', 'editor'))
        .when('update', { name: 'X' }, process)
        .then(updated({ name: 'X' }))
      given(byAnother, restricted, team('design', 'editor'))
        .when('update', { name: 'X' }, { ...process, behalf: { subject: 'mira-2', roles: [] }, teams: ['design'] })
        .rejects('item_not_yours')
    })
    it('keeps a restricted item to its owners and editors', () => {
      given(byAnother, restricted).when('update', { name: 'X' }).rejects('item_not_yours')
      given(byAnother, restricted, shared('editor'))
        .when('update', { name: 'X' })
        .then(updated({ name: 'X' }))
    })
  })

  it('forgets nothing of an update', () => {
    const facts = [
      added({ description: 'Ticks.' }),
      updated({ name: 'Watch', metadata: { a: 1 } }),
      moved('draft', 'live'),
    ]
    expect(stateOf(item, facts)).to.deep.equal({
      status: 'active',
      type: 'app',
      name: 'Watch',
      description: 'Ticks.',
      metadata: { a: 1 },
      tags: [],
      briefcase: undefined,
      stage: 'live',
      lifecycle: 'standard',
      owner: 'user-1',
      shares: {},
      editing: 'open',
      privacy: 'organization',
    })
  })
})
