import { keyResult } from '../../../domain/center/keyresult/keyresult.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(keyResult)
const fields = { objective: 'people', title: '120 visitors', start: 0, target: 120, projects: [] }
const added = { type: 'KeyResultAdded', data: { ...fields, owner: 'user-1' } } as const

describe('key result', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'KeyResultRemoved', data: {} })
  })
})
