import { expect } from 'chai'
import { placesOf } from '../../../domain/record/currencies.ts'

describe('currencies', () => {
  it('have the places of ISO 4217, and nothing is known of other names', () => {
    const places = { EUR: 2, CZK: 2, JPY: 0, VND: 0, KWD: 3, CLP: 0, UYU: 2, CLF: undefined, BTC: undefined }
    for (const [code, known] of Object.entries(places)) expect(placesOf(code), code).to.equal(known)
    for (const name of ['__proto__', 'constructor', 'toString', 'eur', '']) expect(placesOf(name)).to.equal(undefined)
  })
})
