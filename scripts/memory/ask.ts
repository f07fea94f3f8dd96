/** `kogi memory search`, `explain` and `insights`: what the read API answers, as tables or JSON. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { fail, STATUS } from '../failing.ts'
import { table } from '../terminal.ts'
import {
  type Access,
  type Explanation,
  explained,
  type Found,
  type InsightsAnswer,
  memoryInsights,
  SEARCH_TYPES,
  searchMemories,
} from './client.ts'

const TITLE_MAX = 60

type Common = Access & { readonly json?: true }
type SearchOptions = Common & {
  readonly type: string
  readonly kind?: string
  readonly limit: string
  readonly after?: string
  readonly asOf?: string
}
type InsightOptions = Common & { readonly days: string; readonly until?: string; readonly concept?: string }

const withUrl = (command: Command): Command =>
  command.addOption(
    new Option('--url <url>', 'where the read API is')
      .env('KOGI_URL')
      .default('http://127.0.0.1:8080')
      .argParser(urlOf),
  )

/** A verb with what every question to the API needs. */
const asking = (name: string): Command =>
  withUrl(new Command(name)).addOption(
    new Option('--token <token>', 'token of whom memories are shown to').env('KOGI_TOKEN').makeOptionMandatory(),
  )

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text.replace(/\/+$/, '')
  throw new InvalidArgumentError('a URL begins with http:// or https://')
}

const typeOption = () => new Option('--type <type>', 'how to search').choices(SEARCH_TYPES).default('hybrid')

export const searchCommand = () =>
  asking('search')
    .description('search the memories that the caller may read')
    .argument('<words...>', 'what to look for')
    .addOption(typeOption())
    .option('--kind <kind>', 'only memories of this kind')
    .option('--limit <n>', 'most hits', '10')
    .option('--after <cursor>', 'the `next` of the page before')
    .option('--as-of <when>', 'search as of a position of the log, or a time')
    .option('--json', 'the answer of the API as it is')
    .addHelpText('after', '\nExample:\n  $ KOGI_TOKEN=$(kogi token …) kogi memory search overdue invoice')
    .action((words: string[], { type, kind, limit, after, asOf, ...common }: SearchOptions) => {
      const asked = { q: words.join(' '), search_type: type, kind, limit, after, as_of: asOf }
      return answered(common, searchMemories(common, asked), hitsText)
    })

export const explainCommand = () =>
  asking('explain')
    .description('say why a memory is found, by what each leg gave to its score')
    .argument('<subject>', 'the id of what the memory is about, as a search shows it')
    .argument('<words...>', 'the search')
    .addOption(typeOption())
    .option('--json', 'one JSON object instead of text')
    .action((subject: string, words: string[], { type, ...common }: SearchOptions) =>
      answered(common, explained(common, subject, words.join(' '), type), explanationText),
    )

export const insightsCommand = () =>
  asking('insights')
    .description('say what memories tell together: words that stand out, rhythms, groups, and how words move')
    .option('--days <n>', 'days of the period; the one before is as long', '30')
    .option('--until <time>', 'the end of the period (default: the latest memory)')
    .option('--concept <words>', 'words whose drift is asked for (default: those that stand out most)')
    .option('--json', 'the answer of the API as it is')
    .action(({ days, until, concept, ...common }: InsightOptions) =>
      answered(common, memoryInsights(common, { days, until, concept }), ({ data, meta }) =>
        insightsText(data, meta.position),
      ),
    )

const MCP_HELP = `
Tools: search_memories, explain_memory, memory_insights and store_memory, which needs a URL of both APIs. On standard
input and output it acts with --token; with --http each request acts with the bearer token that it carries, and
standard output has the address.

Example, as a client is set up for it:
  {"command": "kogi", "args": ["memory", "mcp"], "env": {"KOGI_TOKEN": "…"}}`

export const mcpCommand = () =>
  withUrl(new Command('mcp'))
    .description('serve memories as tools of the Model Context Protocol')
    .addOption(new Option('--token <token>', 'token of whom memories are shown to').env('KOGI_TOKEN'))
    .option('--http <port>', 'serve over HTTP on this machine; port 0 takes a free one')
    .addHelpText('after', MCP_HELP)
    .action(async ({ url, token, http }: Partial<Access> & { url: string; http?: string }, command: Command) => {
      const { serveHttp, serveStdio } = await import('./mcp.ts')
      if (http === undefined) {
        if (token === undefined) command.error('error: --token, or KOGI_TOKEN, is needed', { exitCode: STATUS.usage })
        return serveStdio({ url, token })
      }
      const port = Number(http)
      if (!/^\d{1,5}$/.test(http) || port > 65_535) {
        command.error('error: --http is a port, from 0 to 65535', { exitCode: STATUS.usage })
      }
      const serving = await serveHttp(url, port)
      console.log(serving.url)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => serving.server.close())
    })

async function answered<T extends object>(
  { json }: Common,
  answer: Promise<T>,
  textOf: (answer: T) => string,
): Promise<void> {
  try {
    const found = await answer
    console.log(json ? JSON.stringify(found) : textOf(found))
  } catch (error) {
    fail(error, { json: json ?? false })
  }
}

function hitsText({ data, pagination: { next }, meta }: Found): string {
  if (data.length === 0) return 'no memory has been found'
  const rows = data.map(({ score, kind, subject, title, at, matched }) => [
    String(score),
    kind,
    subject,
    shortened(title),
    at.slice(0, 10),
    matched.map(({ word }) => word).join(' '),
  ])
  const failed = Object.entries(meta.legs ?? {}).filter(([, { state }]) => state === 'failed')
  return [
    table(['score', 'kind', 'subject', 'title', 'on', 'matched'], rows, ['score']),
    ...failed.map(([leg, { reason }]) => `the leg ${leg} failed: ${reason}`),
    `as of position ${meta.position}${next === undefined ? '' : `; more with --after ${next}`}`,
  ].join('\n')
}

function explanationText({ place, hit, meta }: Explanation): string {
  const { kind, subject, title, score, legs = {}, matched, path = [] } = hit
  const rows = Object.entries(meta.legs ?? {}).map(([leg, { state, weight }]) => {
    const { raw, normalised, part } = legs[leg] ?? {}
    return [leg, state, weight.toFixed(2), ...[raw, normalised, part].map(value => value?.toFixed(4) ?? '')]
  })
  const numbers = ['weight', 'raw', 'normalised', 'part']
  return [
    `${place}. ${kind} ${subject}: ${shortened(title)}, score ${score}`,
    ...(rows.length > 0 ? [table(['leg', 'state', ...numbers], rows, numbers)] : []),
    `words: ${matched.map(({ word, as }) => (as === 'exact' ? word : `${word} (${as})`)).join(', ') || 'none'}`,
    ...(path.length > 0 ? [`path: ${path.join(' → ')}`] : []),
    `as of position ${meta.position}`,
  ].join('\n')
}

const WEEKDAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split(' ')

function insightsText(found: InsightsAnswer, position: string): string {
  const { period, total_memories, totals, knowledge, temporal_patterns: times } = found
  const concepts = found.dominant_concepts.map(({ concept, memories, memories_before, change }) => [
    concept,
    String(memories),
    String(memories_before),
    change.toFixed(1),
  ])
  const clusters = found.semantic_clusters.map(({ memories, words, typical }) => [
    String(memories),
    words.join(' '),
    shortened(typical.key),
  ])
  const drift = found.concept_drift.flatMap(({ concept, windows }) =>
    windows.map(({ from, memories, drift_from_first, beside }) => [
      concept,
      from.slice(0, 10),
      String(memories),
      drift_from_first.toFixed(3),
      beside.join(' '),
    ]),
  )
  const most = (counts: readonly number[]) => counts.indexOf(Math.max(...counts))
  return [
    `${total_memories} memories; ${totals.in_period} from ${dayOf(period.from)} until ${dayOf(period.until)}, ` +
      `${totals.in_period_before} in the time before`,
    table(['concept', 'now', 'before', 'change'], concepts, ['now', 'before', 'change']),
    `knowledge density ${found.knowledge_density}: ${knowledge.entities} entities, ` +
      `${knowledge.mentions_per_memory} a memory`,
    `most at ${most(times.by_hour)}:00 UTC and on ${WEEKDAYS[most(times.by_weekday)]}`,
    ...times.recurring_gaps.map(
      ({ kind, source, days, next_on }) => `${kind} ${source}: again about every ${days} days, next on ${next_on}`,
    ),
    table(['memories', 'group', 'typical'], clusters, ['memories']),
    table(['concept', 'from', 'memories', 'drift', 'beside'], drift, ['memories', 'drift']),
    `as of position ${position}`,
  ].join('\n')
}

const shortened = (text: string) => {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= TITLE_MAX ? line : `${line.slice(0, TITLE_MAX - 1)}…`
}

const dayOf = (time: string) => time.slice(0, 10)
