import { service } from '../kernel/service.ts'

export const hubService = service({
  code: 'khub',
  word: 'hub',
  title: 'Hub: activity',
  aggregates: [],
  roles: {},
})
