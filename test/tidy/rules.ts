/** The house style as far as a program can tell. */
import { codeOf, importsOf, resolved, type Source } from '../architecture/sources.ts'

export const FILE_LINES_MAX = 300
export const FUNCTION_LINES_MAX = 70
export const LINE_MAX = 120
export const KERNEL_LINES_MAX = 300

/** Files that may say `any`, and the words that must explain it on the line above. */
const ANY_NEEDS = 'biome-ignore lint/suspicious/noExplicitAny: '
const ANY = /(?:[:<|&=]|\bas)\s*any\b(?!\s*\?)|\bany(?=\[\]|>)/

/** What has no place in any file: notes to oneself, switched-off checks, and names that say nothing. */
const BANNED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\b(TODO|FIXME|HACK)\b/, 'do it or leave it'],
  [/@ts-(ignore|nocheck|expect-error)/, 'mend the type'],
  [/\b(describe|it|context)\.(only|skip)\(/, 'runs or skips more than it says'],
  [/\bdebugger\b/, 'left over'],
  [/["'` (](\/home|\/root|\/Users|\/work)\//, 'a path of one machine'],
]
/** Names of things that say nothing of them. */
const EMPTY_NAME = /\b\w*(Manager|Helper|Util|Utils|Impl)\b/
/** Only what talks to people or is a test may write to the console. */
const SPEAKS = /^(scripts|test)\//
const BAD_FILE_NAME = /(^|\/)(utils?|helpers?|common|misc|manager)(\/|\.ts$)/

type Rule = (source: Source) => readonly string[]

const fileRules: readonly Rule[] = [
  ({ path, text }) => (lineCount(text) > FILE_LINES_MAX ? [`${path} has ${lineCount(text)} lines`] : []),
  source =>
    functionsOf(source)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ line, lines }) => `${source.path}:${line} is a function of ${lines} lines`),
  ({ path }) => (BAD_FILE_NAME.test(path) ? [`${path}: name what is in it`] : []),
  ({ path }) => (/^[a-z0-9./-]+$/.test(path) ? [] : [`${path}: names are kebab-case`]),
]

/** Every breach, one line each. Names of banned things stand in this folder alone. */
export const untidy = (sources: readonly Source[]): readonly string[] =>
  sources.flatMap(source => [...fileRules.flatMap(rule => rule(source)), ...lineBreaches(source)])

function lineBreaches(source: Source): readonly string[] {
  const { path, text } = source
  const lines = text.split('\n')
  const code = codeOf(source).split('\n')
  return lines.flatMap((line, n) => {
    const at = `${path}:${n + 1}`
    const found: string[] = []
    if ([...line].length > LINE_MAX && !/^\s*\S+$/.test(line)) found.push(`${at} has more than ${LINE_MAX} characters`)
    if (/^export default\b/.test(code[n]!)) found.push(`${at} exports a default`)
    if (ANY.test(code[n]!) && !lines[n - 1]?.includes(ANY_NEEDS)) found.push(`${at} says any`)
    if (EMPTY_NAME.test(code[n]!)) found.push(`${at} ${EMPTY_NAME.exec(code[n]!)![0]}: name what it is`)
    if (/\bconsole\./.test(code[n]!) && !SPEAKS.test(path)) found.push(`${at} writes to the console`)
    if (!path.startsWith('test/tidy/')) {
      for (const [pattern, why] of BANNED) if (pattern.test(line)) found.push(`${at} ${pattern.exec(line)![0]}: ${why}`)
    }
    return found
  })
}

const lineCount = (text: string) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

/** A line that begins a function, as the formatter leaves it: a brace after an arrow or a parameter list. */
const OPENS = /(=>|\bfunction\b.*|\)(: [^=]*)?) \{$/
const NO_FUNCTION = /^\s*(\} )?(if|else|for|while|switch|catch|try|do|with)\b|\b(describe|context)\(/

/** Functions with their first line and length, to the brace of the same indentation; suites of tests are none. */
function functionsOf(source: Source): readonly { readonly line: number; readonly lines: number }[] {
  const lines = codeOf(source).split('\n')
  return lines.flatMap((line, n) => {
    if (!OPENS.test(line) || NO_FUNCTION.test(line)) return []
    const indent = /^\s*/.exec(line)![0]
    const end = lines.findIndex((later, m) => m > n && later.startsWith(`${indent}}`))
    const isSuite = lines.slice(n, end).some(inside => /^\s*(it|describe)\(/.test(inside))
    return end < 0 || isSuite ? [] : [{ line: n + 1, lines: end - n + 1 }]
  })
}

/** Files that nothing needs: neither the CLI, the check of exports, the benchmark, nor a test imports or names them. */
export function deadFiles(sources: readonly Source[]): readonly string[] {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const roots = [...byPath.keys()].filter(
    path => /^scripts\/(kogi|verify|bench|page\/\w+)\.ts$/.test(path) || /^test\/.*\.(test|acceptance)\.ts$/.test(path),
  )
  const alive = new Set(roots)
  for (const path of alive) for (const target of namedIn(byPath.get(path)!, byPath)) alive.add(target)
  return [...byPath.keys()].filter(path => !alive.has(path))
}

/** Files that a file imports, or names in a text because it starts them as processes of their own. */
function namedIn(source: Source, byPath: ReadonlyMap<string, Source>): readonly string[] {
  const texts = [...source.text.matchAll(/['"`]([^'"`\s]+\.ts)['"`]/g)].map(([, text]) => text!)
  return [...importsOf(source), ...texts]
    .flatMap(text => [resolved(source.path, text), text])
    .filter(path => byPath.has(path))
}

/** Lines of the kernel, without comments, blank lines and files of types alone. */
export function kernelLines(sources: readonly Source[]): number {
  const kernel = sources.filter(({ path, text }) => path.startsWith('domain/kernel/') && HAS_CODE.test(text))
  return kernel.reduce((sum, source) => sum + linesOfCode(source), 0)
}

const HAS_CODE = /^export (const|function|class)\b/m

function linesOfCode({ text }: Source): number {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return code.split('\n').filter(line => line.trim() !== '').length
}
