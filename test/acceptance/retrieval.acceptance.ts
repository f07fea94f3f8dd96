/** Search of memories on public test collections: better than word search by other programs, in every language. */
import { expect } from 'chai'
import { type Evaluation, evaluate } from '../../scripts/memory/evaluate.ts'
import { dataSet } from './data-sets.ts'

type Line = { readonly id: string; readonly text: string; readonly rel?: readonly string[]; readonly doc?: string }

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

function measured(docs: string, queries: string): Evaluation {
  const scope = ''
  const asked = linesOf(queries).map(({ id, text, rel, doc }) => ({
    id,
    text,
    scope,
    grades: new Map((rel ?? [doc!]).map(each => [each, 1])),
  }))
  const judged = asked.filter(({ grades }) => grades.size > 0)
  return evaluate({ docs: linesOf(docs).map(({ id, text }) => ({ id, text, scope })), queries: judged }, 'hybrid')
}

const figures = ({ all, odd, even }: Evaluation, name: 'ndcg@10' | 'right@1') =>
  `${name} ${all[name]} (odd ${odd[name]}, even ${even[name]})`

describe('retrieval_classic: abstracts and news with judgements', function () {
  const set = dataSet(this, 'retrieval_classic', ...['med', 'time', 'adi'].map(name => `${name}.docs.jsonl`))
  for (const name of ['med', 'time', 'adi']) {
    it(`ranks ${name} better than both other programs`, () => {
      const found = measured(set.text(`${name}.docs.jsonl`), set.text(`${name}.queries.jsonl`))
      console.log(`      ${figures(found, 'ndcg@10')}`)
      const { judged_queries, bm25_own, sqlite_fts5_porter } = set.oracle[name]
      expect(found.all.queries).to.equal(judged_queries)
      expect(found.all['ndcg@10']).to.be.above(Math.max(bm25_own['ndcg@10'], sqlite_fts5_porter['ndcg@10']))
    })
  }
})

describe('retrieval_xquad: questions in four languages', function () {
  const set = dataSet(this, 'retrieval_xquad', ...['en', 'de', 'es', 'zh'].map(name => `docs.${name}.jsonl`))
  for (const language of ['en', 'de', 'es', 'zh']) {
    it(`finds the right paragraph in ${language} more often than the best of the other ways`, () => {
      const found = measured(set.text(`docs.${language}.jsonl`), set.text(`queries.${language}.jsonl`))
      console.log(`      ${figures(found, 'right@1')}`)
      const { queries, bm25_words, bm25_char_bigrams, sqlite_fts5 } = set.oracle[language]
      expect(found.all.queries).to.equal(queries)
      const bars = [bm25_words, bm25_char_bigrams, sqlite_fts5].map(bar => bar['recall@1'])
      expect(found.all['right@1']).to.be.above(Math.max(...bars))
    })
  }
})
