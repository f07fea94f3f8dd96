import { searchprofile } from '../../../domain/memory/searchprofile/searchprofile.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(searchprofile)
const weights = { lexical: 40, neural: 50, conceptual: 5, knowledge: 5 }
const added = { type: 'SearchProfileAdded', data: { name: 'Ours', weights, owner: 'user-1' } } as const

describe('search profile', () => {
  it('is added, changed and removed', () => {
    given().when('add', { name: 'Ours', weights }).then(added)
    given(added)
      .when('change', { weights: { ...weights, neural: 60 } })
      .then({ type: 'SearchProfileChanged', data: { weights: { ...weights, neural: 60 } } })
    given(added).when('remove', {}).then({ type: 'SearchProfileRemoved', data: {} })
  })
})
