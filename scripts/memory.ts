import { Command, Option } from 'commander'
import type { RecallMode } from '../projections/memory/recall/recall.ts'
import { explainCommand, insightsCommand, mcpCommand, searchCommand } from './memory/ask.ts'
import { readCollection } from './memory/collection.ts'
import { type Evaluation, evaluate, MODES, type Quality } from './memory/evaluate.ts'
import { print } from './operator.ts'
import { table } from './terminal.ts'

type Options = { readonly mode: RecallMode; readonly json?: true }

const HELP = `
The folder has docs.jsonl and queries.jsonl, lines of {"id", "text"}, and qrels.tsv: query, text and, if there are more
columns, grade and scope. Each scope is an organization with an index of its own. Texts go into the index that a system
asks for a search_type other than text, with no system around it.

Example:
  $ kogi memory eval ~/collections/med --json`

/** `kogi memory`: asks a running system, and measures search without one. */
export const memoryCommand = () =>
  new Command('memory')
    .description('search memories, and measure the search')
    .addCommand(searchCommand())
    .addCommand(explainCommand())
    .addCommand(insightsCommand())
    .addCommand(mcpCommand())
    .addCommand(
      new Command('eval')
        .description('search a test collection, and say how good and how fast the answers were')
        .argument('<folder>', 'folder with docs.jsonl, queries.jsonl and qrels.tsv')
        .addOption(new Option('--mode <mode>', 'which legs search').choices(MODES).default('hybrid'))
        .option('--json', 'one JSON object instead of text')
        .addHelpText('after', HELP)
        .action(run),
    )

async function run(folder: string, { mode, json }: Options): Promise<void> {
  const found = evaluate(await readCollection(folder), mode)
  print({ json: json ?? false }, found, textOf(found))
}

function textOf({ mode, docs, orgs, latency_ms, memories_per_second, bytes_per_memory, ...parts }: Evaluation): string {
  const row = (name: 'all' | 'odd' | 'even') => [
    name,
    ...Object.values<number>(parts[name] satisfies Quality).map(String),
  ]
  return [
    `${mode} search, ${docs} memories, ${orgs} organizations`,
    table(['', ...Object.keys(parts.all)], [row('all'), row('odd'), row('even')]),
    `a search took ${latency_ms.p50} ms (p50), ${latency_ms.p95} ms (p95)`,
    `${memories_per_second} memories a second indexed, ${bytes_per_memory} bytes each`,
  ].join('\n')
}
