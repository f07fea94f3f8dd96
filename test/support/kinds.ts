/** Kinds of things for the test of revisions: how they are made, changed and read. */

export type Command = readonly [method: string, path: string, body: object]

/** A kind of thing: what makes one, commands that always change it, and every read that shows it or rows inside it. */
export type Kind = {
  readonly make: (id: string) => readonly Command[]
  readonly change: readonly ((id: string, n: number) => Command)[]
  readonly reads: readonly ((id: string) => string)[]
  /** A list with the row of the thing, or with rows inside it. */
  readonly list: string
  readonly isOf: (id: string) => (row: Record<string, string>) => boolean
}

export const own = (id: string) => (row: Record<string, string>) => row.id === id
export const record = (path: string, name: string, more: object = {}): Kind => ({
  make: id => [['POST', path, { id, [name]: 'x', ...more }]],
  change: [
    (id, n) => ['PATCH', `${path}/${id}`, { [name]: `x ${n}` }],
    (id, n) => ['PUT', `${path}/${id}`, { [name]: `y ${n}`, ...more }],
  ],
  reads: [id => `${path}/${id}`],
  list: path,
  isOf: own,
})

type Holders = (id: string) => readonly (readonly [path: string, body: object, names: object])[]
export const recordOf = (path: string, holdersOf: Holders, more: object = {}): Kind => ({
  ...record(path, 'name'),
  make: of => {
    const id = `${path} ${of}`
    const holders = holdersOf(id)
    return [
      ...holders.map(([at, body]) => ['POST', at, { id: `${id} holder`, ...body }] as const),
      ['POST', path, Object.assign({ id: of, name: 'x' }, more, ...holders.map(([, , name]) => name))],
    ]
  },
  change: [(id, n) => ['PATCH', `${path}/${id}`, { name: `x ${n}` }]],
})

const time = { units: 4, unit: 'hours', from: '2026-12-01', to: '2026-12-11' }
export const exchangeKinds: Readonly<Record<string, Kind>> = {
  vendor: record('/kex/vendors', 'name', { party: 'mira' }),
  room: {
    make: id => [['POST', '/krms/rooms', { id, kind: 'group', title: 'x' }]],
    change: [
      (id, n) => ['PATCH', `/krms/rooms/${id}`, { title: `x ${n}` }],
      (id, n) => ['POST', `/krms/rooms/${id}/members`, { user: `user ${n}` }],
    ],
    reads: [id => `/krms/rooms/${id}`],
    list: '/krms/rooms',
    isOf: own,
  },
  resourcerequest: record('/kex/resource-requests', 'title', time),
  capacity: {
    make: id => [
      ['POST', '/kex/capacities', { id, title: 'x', ...time, units: 1_000_000 }],
      ['POST', '/kex/resource-requests', { id: `of ${id}`, title: 'x', ...time }],
    ],
    change: [
      id => ['POST', `/kex/capacities/${id}/allocations`, { ...time, unit: undefined, request: `of ${id}`, units: 1 }],
    ],
    reads: [id => `/kex/capacities/${id}`, id => `/kex/capacities/${id}/allocations`],
    list: '/kex/capacities',
    isOf: own,
  },
}
