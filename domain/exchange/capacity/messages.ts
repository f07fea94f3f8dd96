/** The capacity's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { currency, date, id, integer, list, object, positiveMinorUnits, ref, text, uuid } from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'

const units = integer(1, 1_000_000_000)
const terms = {
  title: text(255),
  traits: list(text(64), 50).default([]).meta({ description: 'skills or properties that it has' }),
  units: units.meta({ description: 'how many there are on each day' }),
  unit: text(32).meta({ description: 'what is counted: `hours`, `seats`' }),
  from: date,
  to: date.meta({ description: 'the last day' }),
}
const priced = {
  rate: positiveMinorUnits.optional().meta({ description: 'what a unit costs, with its currency' }),
  currency: currency.optional(),
  places: places.optional(),
}
const allocation = uuid.meta({ description: 'id of an allocation, made with it' })
const taken = { units, from: date, to: date }

export const events = {
  CapacityOffered: object({ ...terms, ...priced, provider: text(128) }),
  CapacityWithdrawn: object({}),
  CapacityAllocated: object({ allocation, request: id('resource request'), by: text(128), ...taken }),
  AllocationReleased: object({ allocation, ...taken }),
} as const

export const commands = {
  offer: object({ id: id('capacity').optional(), ...terms, ...priced }).meta({
    examples: [
      {
        id: 'capacity-1',
        title: 'A drawing hand',
        traits: ['ink', 'maps'],
        units: 60,
        unit: 'hours',
        from: '2026-11-01',
        to: '2026-12-31',
        rate: '6000',
        currency: 'EUR',
      },
    ],
  }),
  withdraw: object({}),
  allocate: object({ request: ref('resourcerequest'), ...taken }).meta({
    examples: [{ request: 'resourcerequest-1', units: 4, from: '2026-12-01', to: '2026-12-11' }],
  }),
  release: object({ allocation }),
} as const

export const rejections = [
  'capacity_already_offered',
  'capacity_terms_invalid',
  'capacity_places_unknown',
  'capacity_places_mismatch',
  'capacity_withdrawn',
  'capacity_of_another',
  'capacity_out_of_time',
  'capacity_not_enough',
  'capacity_full',
  'allocation_unknown',
] as const
