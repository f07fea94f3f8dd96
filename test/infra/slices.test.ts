import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { Slices } from '../../infra/http/slices.ts'

describe('reads that come together', () => {
  it('are begun at once while they are few', () => {
    const slices = new Slices()
    const begun: number[] = []
    for (let n = 0; n < 10; n++) slices.add('one', () => begun.push(n))
    expect(begun).to.have.length(10)
  })

  it('are begun some in each turn of the event loop, all in order, so that others get their turn between', async () => {
    const slices = new Slices()
    const begun: number[] = []
    for (let n = 0; n < 800; n++) slices.add('one', () => begun.push(n))
    let most = begun.length
    for (let before = begun.length; begun.length < 800; before = begun.length) {
      await turn()
      most = Math.max(most, begun.length - before)
    }
    expect(most).to.be.at.most(64)
    expect(begun).to.deep.equal(Array.from({ length: 800 }, (_, n) => n))
  })

  it('do not wait behind all those of another caller', async () => {
    const slices = new Slices()
    const begun: string[] = []
    for (let n = 0; n < 800; n++) slices.add('hog', () => begun.push('hog'))
    for (let n = 0; n < 3; n++) slices.add('other', () => begun.push('other'))
    await turn()
    expect(begun.filter(caller => caller === 'other')).to.have.length(3)
  })

  it('wait while connections are being taken', async () => {
    const slices = new Slices()
    let begun = 0
    slices.hold()
    slices.add('one', () => {
      begun += 1
    })
    await turn()
    await turn()
    expect(begun).to.equal(0)
    slices.release()
    await turn()
    await turn()
    expect(begun).to.equal(1)
  })
})
