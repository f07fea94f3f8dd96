/** A test collection: texts, queries, and which texts answer which query. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'

export type Collection = {
  readonly docs: readonly { readonly id: string; readonly text: string; readonly scope: string }[]
  /** Queries that have an answer, each with how well texts answer it. */
  readonly queries: readonly {
    readonly id: string
    readonly text: string
    readonly scope: string
    readonly grades: ReadonlyMap<string, number>
  }[]
}

const line = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  title: z.string().default(''),
  text: z.string(),
  scope: z.string().optional(),
})
/** Names of the columns of `qrels.tsv`; without a line of them the first two are the query and the text. */
const COLUMNS: Readonly<Record<string, 'query' | 'doc' | 'grade' | 'scope'>> = {
  query: 'query',
  query_id: 'query',
  'query-id': 'query',
  qid: 'query',
  doc: 'doc',
  doc_id: 'doc',
  'doc-id': 'doc',
  'corpus-id': 'doc',
  grade: 'grade',
  rel: 'grade',
  relevance: 'grade',
  score: 'grade',
  scope: 'scope',
}

/**
 * Reads `docs.jsonl` and `queries.jsonl` (`{"id", "text"}`, optionally `title` and `scope`) and `qrels.tsv` (query,
 * text and, if there are more columns, grade and scope). The scope of a judgement is that of its query and its text.
 */
export async function readCollection(folder: string): Promise<Collection> {
  const [docs, queries, judgements] = await Promise.all([
    readLines(folder, 'docs.jsonl'),
    readLines(folder, 'queries.jsonl'),
    readJudgements(folder),
  ])
  const scopes = new Map<string, string>()
  const grades = new Map<string, Map<string, number>>()
  for (const { query, doc, grade, scope } of judgements) {
    if (scope !== undefined) scopes.set(`query ${query}`, scope).set(`doc ${doc}`, scope)
    const own = grades.get(query) ?? new Map<string, number>()
    if (grade > 0) grades.set(query, own.set(doc, grade))
  }
  return {
    docs: docs.map(({ id, title, text, scope = scopes.get(`doc ${id}`) ?? '' }) => ({
      id,
      text: title === '' ? text : `${title}\n${text}`,
      scope,
    })),
    queries: queries.flatMap(({ id, text, scope = scopes.get(`query ${id}`) ?? '' }) => {
      const own = grades.get(id)
      return own ? [{ id, text, scope, grades: own }] : []
    }),
  }
}

async function readLines(folder: string, file: string): Promise<z.output<typeof line>[]> {
  const lines = (await readText(folder, file)).split('\n').filter(text => text.trim() !== '')
  return lines.map((text, at) => {
    const read = line.safeParse(parsed(text))
    if (read.success) return read.data
    throw notACollection(file, `line ${at + 1} is not {"id", "text"}`)
  })
}

type Judgement = { readonly query: string; readonly doc: string; readonly grade: number; readonly scope?: string }

async function readJudgements(folder: string): Promise<Judgement[]> {
  const file = 'qrels.tsv'
  const rows = (await readText(folder, file)).split(/\r?\n/).filter(text => text !== '')
  const cells = rows.map(row => row.split('\t'))
  const named = cells[0]?.map(cell => COLUMNS[cell.toLowerCase()]) ?? []
  const hasNames = named.includes('query') && named.includes('doc')
  const columns = hasNames ? named : (['query', 'doc', 'grade', 'scope'] as const)
  return cells.slice(hasNames ? 1 : 0).map((row, at) => {
    const of = (name: 'query' | 'doc' | 'grade' | 'scope') => row[columns.indexOf(name)]
    const [query, doc, grade, scope] = [of('query'), of('doc'), Number(of('grade') ?? 1), of('scope')]
    if (query === undefined || doc === undefined || !Number.isFinite(grade)) {
      throw notACollection(file, `line ${at + (hasNames ? 2 : 1)} is not a query, a text and a grade`)
    }
    return { query, doc, grade, ...(scope !== undefined && { scope }) }
  })
}

const readText = (folder: string, file: string): Promise<string> =>
  readFile(path.join(folder, file), 'utf8').catch(() => {
    throw notACollection(file, 'cannot be read')
  })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const notACollection = (file: string, message: string) =>
  new KogiError('not_found', `This folder is no test collection: ${file}: ${message}.`, [{ field: file, message }])
