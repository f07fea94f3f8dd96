/** What changed between two versions of a book, part by part, as a diff that people read. */
import { formatPatch, structuredPatch } from 'diff'
import type { WireRow } from '../rows.ts'
import type { BookVersion } from './book-versions.ts'

/** Lines around each change. */
const CONTEXT = 3
/** Time for all parts: behind it, texts that have little in common are shown as one taken away and one added. */
const BUDGET_MS = 1_000

type Change = {
  readonly part: string
  readonly kind: string
  readonly change: 'added' | 'removed' | 'changed' | 'moved'
  readonly lines_added: number
  readonly lines_removed: number
}

/** The changed parts, in the order of the later version, those that are gone last; and the diff of all of them. */
export function changesBetween(
  before: BookVersion,
  after: BookVersion,
  budgetMs = BUDGET_MS,
): { parts: readonly Change[]; diff: string } {
  const end = performance.now() + budgetMs
  const earlier = new Map(before.parts.map(part => [String(part.part), part]))
  const later = new Map(after.parts.map(part => [String(part.part), part]))
  const names = [...later.keys(), ...[...earlier.keys()].filter(name => !later.has(name))]
  const labels = [before, after].map(({ book }) => `version ${book.version}`) as [string, string]
  const changes = names.flatMap(name => changeOf(name, earlier.get(name), later.get(name), labels, end))
  return { parts: changes.map(({ patch: _, ...change }) => change), diff: changes.map(({ patch }) => patch).join('') }
}

function changeOf(
  part: string,
  before: WireRow | undefined,
  after: WireRow | undefined,
  labels: readonly [string, string],
  end: number,
): readonly (Change & { readonly patch: string })[] {
  const [old, now] = [textOf(before), textOf(after)]
  const kind = String((after ?? before)!.kind)
  if (before && after && old === now) {
    const moved = { part, kind, change: 'moved', lines_added: 0, lines_removed: 0, patch: '' } as const
    return before.rank === after.rank ? [] : [moved]
  }
  const options = { context: CONTEXT, timeout: Math.max(0, end - performance.now()) }
  const patch = structuredPatch(part, part, old, now, ...labels, options) ?? replaced(part, old, now, labels)
  const lines = patch.hunks.flatMap(hunk => hunk.lines)
  return [
    {
      part,
      kind,
      change: before ? (after ? 'changed' : 'removed') : 'added',
      lines_added: lines.filter(line => line.startsWith('+')).length,
      lines_removed: lines.filter(line => line.startsWith('-')).length,
      patch: formatPatch(patch),
    },
  ]
}

/** The patch that takes all of a text away and adds all of another one. */
function replaced(part: string, old: string, now: string, labels: readonly [string, string]) {
  const gone = structuredPatch(part, part, old, '', ...labels)
  const come = structuredPatch(part, part, '', now, ...labels)
  const [from, to] = [gone.hunks[0]!, come.hunks[0]!]
  const { oldStart, oldLines } = from
  const { newStart, newLines } = to
  return { ...gone, hunks: [{ oldStart, oldLines, newStart, newLines, lines: [...from.lines, ...to.lines] }] }
}

/** What a part says, as one text: its title and its link stand in lines of their own above it. */
function textOf(part: WireRow | undefined): string {
  if (!part) return ''
  const { title, url, about, content } = part
  const head = [title && `# ${title}`, url && `<${url}>`, about && `about ${about}`].filter(Boolean)
  return [...head, ...(content === undefined ? [] : [content])].join('\n')
}
