import { expect } from 'chai'
import { item } from '../../../domain/briefcase/item/item.ts'
import type { events } from '../../../domain/briefcase/item/messages.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { Json } from '../../../domain/kernel/json.ts'
import { specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Metadata = { readonly [key: string]: Json }

const { given } = specFor(item)
const body = { type: 'app', status: 'draft', name: 'Clock' }
const added = (more: { description?: string; metadata?: Metadata } = {}): Fact => ({
  type: 'ItemAdded',
  data: { ...body, metadata: {}, owner: 'user-1', ...more },
})
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
      given(added(), moved('draft', 'live')).when('changeStatus', { status: 'sold' }).then(moved('live', 'sold')))
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
      stage: 'live',
    })
  })
})
