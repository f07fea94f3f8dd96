import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { readCollection } from '../../scripts/memory/collection.ts'
import { evaluate } from '../../scripts/memory/evaluate.ts'
import { ndcg, percentile, recall, reciprocalRank } from '../../scripts/memory/quality.ts'

describe('memory eval', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-eval-'))
  })
  after(() => rm(folder, { recursive: true }))

  const write = (files: Record<string, string>) =>
    Promise.all(Object.entries(files).map(([name, text]) => writeFile(path.join(folder, name), text)))
  const lines = (...values: object[]) => values.map(value => `${JSON.stringify(value)}\n`).join('')

  it('measures each scope as an org that sees its own texts alone', async () => {
    await write({
      'docs.jsonl': lines(
        { id: 'a', text: 'invoice for the harbour' },
        { id: 'b', title: 'Harbour', text: 'ships of the fleet' },
        { id: 'c', text: 'bread and salt' },
      ),
      'queries.jsonl': lines({ id: 1, text: 'harbour' }, { id: 2, text: 'harbour bread' }, { id: 3, text: 'unjudged' }),
      'qrels.tsv': 'query\tdoc\tscope\tgrade\n1\ta\tone\t1\n1\tb\tone\t2\n2\tc\ttwo\t1\n3\tc\ttwo\t0\n',
    })
    const found = evaluate(await readCollection(folder), 'lexical')
    expect(found).to.deep.include({ mode: 'lexical', docs: 3, orgs: 2 })
    expect(found.all).to.include({ queries: 2, 'recall@100': 1, mrr: 1, 'right@1': 1 })
    expect([found.odd.queries, found.even.queries]).to.deep.equal([1, 1])
    expect(found.even['ndcg@10']).to.equal(1)
  })

  it('says which line is none', async () => {
    const fails = () =>
      readCollection(folder).then(
        () => expect.fail('it was read'),
        error => (error as Error).message,
      )
    await write({ 'qrels.tsv': '1\n' })
    expect(await fails()).to.match(/qrels.tsv: line 1 /)
    await write({ 'qrels.tsv': '1\ta\n', 'docs.jsonl': '{"id":"a","text":"x"}\nnonsense\n' })
    expect(await fails()).to.match(/docs.jsonl: line 2 /)
    await rm(path.join(folder, 'docs.jsonl'))
    expect(await fails()).to.match(/docs.jsonl: cannot be read/)
  })

  it('computes the measures as they are defined', () => {
    const grades = new Map([
      ['a', 3],
      ['b', 1],
    ])
    expect(ndcg(['a', 'b'], grades, 10)).to.equal(1)
    expect(ndcg(['b', 'x', 'a'], grades, 10)).to.be.closeTo((1 + 3 / 2) / (3 + 1 / Math.log2(3)), 1e-12)
    expect(ndcg(['x', 'a'], grades, 1)).to.equal(0)
    expect(recall(['x', 'b'], grades, 2)).to.equal(0.5)
    expect([reciprocalRank(['x', 'b', 'a'], grades), reciprocalRank(['x'], grades)]).to.deep.equal([0.5, 0])
    expect([50, 95].map(percent => percentile([4, 1, 3, 2], percent))).to.deep.equal([2, 4])
  })
})
