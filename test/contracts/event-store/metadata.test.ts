/** Stream metadata: the limits that it sets, and where it is kept. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, type Read, read } from './messages.ts'

const revisions = (reads: Read[]): number[] => reads.filter(one => one.event).map(one => Number(one.event!.revision))
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

overEngines('stream metadata', engine => {
  async function withMetadata(json: string, type = '$metadata'): Promise<string> {
    const stream = newStream()
    await append(engine.raw, stream, 'no_stream', Array(10).fill({}))
    await describe(stream, json, type)
    return stream
  }

  const describe = (stream: string, json: string, type = '$metadata') =>
    append(engine.raw, `$$${stream}`, 'any', [{ type, data: Buffer.from(json) }])
  const forwards = async (stream: string) => revisions((await read(engine.raw, { stream })).reads)
  const backwards = async (stream: string) =>
    revisions((await read(engine.raw, { stream, from: 'end', backwards: true })).reads)

  const cases: [string, number[]][] = [
    ['{"$maxCount":3}', [7, 8, 9]],
    ['{"$maxCount":300}', ALL],
    ['{"$maxCount":0}', ALL],
    ['{"$maxCount":-1}', ALL],
    ['{"$maxCount":"3"}', ALL],
    ['{"$maxCount":2.5}', ALL],
    ['{"$tb":6,"$maxCount":"3"}', ALL],
    ['{"$tb":6,"$maxCount":null}', ALL],
    ['{"$tb":6,"$maxCount":-1}', [6, 7, 8, 9]],
    ['{"$tb":6}', [6, 7, 8, 9]],
    ['{"$tb":20}', []],
    ['{"$tb":6,"$maxCount":2}', [8, 9]],
    ['{"$tb":8,"$maxCount":5}', [8, 9]],
    ['{"$maxAge":3600}', ALL],
    ['{"$maxAge":0}', ALL],
    ['{"$maxAge":-5}', ALL],
    ['{"$cacheControl":10,"$acl":{"$r":"nobody"},"own":1}', ALL],
    ['no json', ALL],
    ['[1]', ALL],
  ]
  for (const [json, expected] of cases)
    it(`honours ${json} in both directions`, async () => {
      const stream = await withMetadata(json)
      expect(await forwards(stream)).to.deep.equal(expected)
      expect(await backwards(stream)).to.deep.equal([...expected].reverse())
    })

  it('takes the last event of the metadata stream, whatever its type', async () => {
    const stream = await withMetadata('{"$maxCount":3}', 'Anything')
    expect(await forwards(stream)).to.deep.equal([7, 8, 9])
    await describe(stream, '{"$maxCount":5}', 'Other')
    expect(await forwards(stream)).to.deep.equal([5, 6, 7, 8, 9])
    await describe(stream, '{}')
    expect(await forwards(stream)).to.deep.equal(ALL)
  })

  it('limits nothing when the metadata is not declared as JSON', async () => {
    const stream = await withMetadata('{"$maxCount":3}')
    const contentType = 'application/octet-stream'
    await append(engine.raw, `$$${stream}`, 'any', [{ contentType, data: Buffer.from('{"$maxCount":3}') }])
    expect(await forwards(stream)).to.deep.equal(ALL)
  })

  it('shows only the latest metadata event', async () => {
    const stream = await withMetadata('{"n":1}')
    await describe(stream, '{"n":2}')
    expect(await forwards(`$$${stream}`)).to.deep.equal([1])
    expect(await backwards(`$$${stream}`)).to.deep.equal([1])
  })

  it('describes a stream that does not exist yet', async () => {
    const stream = newStream()
    await describe(stream, '{"$maxCount":1}')
    expect((await read(engine.raw, { stream })).reads.map(one => one.kind)).to.deep.equal(['not found'])
    expect((await append(engine.raw, stream, 'stream_exists', [{}])).result!.success!.currentRevision).to.equal('0')
    await append(engine.raw, stream, 0, [{}])
    expect(await forwards(stream)).to.deep.equal([1])
  })

  it('expires events by age to an empty stream, and goes on counting', async () => {
    const stream = await withMetadata('{"$maxAge":1}')
    await new Promise(resolve => setTimeout(resolve, 1200))
    const { reads } = await read(engine.raw, { stream })
    expect(reads).to.deep.equal([])
    await append(engine.raw, stream, 9, [{}])
    expect(await forwards(stream)).to.deep.equal([10])
    expect(await backwards(stream)).to.deep.equal([10])
  })

  it('hides what is written below $tb and counts on from the last event', async () => {
    const stream = await withMetadata('{"$tb":12}')
    expect((await append(engine.raw, stream, 9, Array(3).fill({}))).result!.success!.currentRevision).to.equal('12')
    expect(await forwards(stream)).to.deep.equal([12])
  })

  it('takes a $tb of the largest revision for a deletion', async () => {
    const stream = await withMetadata('{"$tb":9223372036854775807,"own":1}')
    expect((await read(engine.raw, { stream })).reads.map(one => one.kind)).to.deep.equal(['not found'])
    await append(engine.raw, stream, 'any', [{}])
    const [metadata] = (await read(engine.raw, { stream: `$$${stream}` })).reads
    expect(JSON.parse(metadata!.event!.data.toString())).to.deep.equal({ $tb: 10, own: 1 })
  })

  it('leaves $all alone', async () => {
    const stream = await withMetadata('{"$maxCount":1}')
    const { reads } = await read(engine.raw, { filter: { stream: { prefixes: [stream] } } })
    expect(revisions(reads)).to.deep.equal(ALL)
  })

  it('takes names with four $ for metadata streams, which limit nothing', async () => {
    const stream = await withMetadata('{"$maxCount":1}')
    const above = `$$$$${stream}`
    expect((await append(engine.raw, above, 'no_stream', [{}])).result!.success!.currentRevision).to.equal('0')
    await append(engine.raw, above, 'any', [{ data: Buffer.from('{"$tb":100}') }])
    expect(await forwards(above)).to.deep.equal([1])
    expect(await forwards(`$$${stream}`)).to.deep.equal([0])
  })

  it('is what the stock client sets and gets', async () => {
    const stream = await withMetadata('{}')
    await engine.client.setStreamMetadata(stream, {
      maxCount: 4,
      maxAge: 1000,
      cacheControl: 5,
      acl: { readRoles: ['foo', 'bar'] },
      own: true,
    })
    const { metadata } = await engine.client.getStreamMetadata(stream)
    expect(metadata).to.deep.equal({
      maxCount: 4,
      maxAge: 1000,
      cacheControl: 5,
      acl: { readRoles: ['foo', 'bar'] },
      own: true,
    })
    expect(await forwards(stream)).to.deep.equal([6, 7, 8, 9])
  })
})
