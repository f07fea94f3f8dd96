import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A source file of the project: its path from the root, with forward slashes, and its text. */
export type Source = { readonly path: string; readonly text: string }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['domain', 'commands', 'projections', 'read-api', 'infra', 'scripts', 'test']

/** Every TypeScript file of the project; what `test/clients` installs and generates is not. */
export const sources: readonly Source[] = FOLDERS.flatMap(folder =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !/(^|\/)(node_modules|generated)\//.test(file))
    .map(file => path.posix.join(folder, file.replaceAll(path.sep, '/')))
    .map(file => ({ path: file, text: readFileSync(path.join(ROOT, file), 'utf8') })),
)

/** A regular expression literal, a string, a template or a comment: what a word may stand in without being code. */
const NO_CODE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:[!&|?]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

/** The text with everything blanked that is no code; lines stay where they are. */
export const codeOf = ({ text }: Source): string => text.replace(NO_CODE, part => part.replace(/[^\n]/g, ' '))

/** What a file imports: specifiers as they are written, those of `import type` and of `import()` too. */
export function importsOf({ text }: Source): readonly string[] {
  const plain = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  const found = plain.matchAll(/(?:^|\s)from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm)
  return [...found].map(([, from, bare, dynamic]) => (from ?? bare ?? dynamic)!)
}

/** The file of the project that a relative specifier names. */
export const resolved = (file: string, specifier: string): string =>
  path.posix.join(path.posix.dirname(file), specifier)
