/** Runs of mocha as processes of their own, over the files in `fixtures/`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import path from 'node:path'

const MOCHA = path.join(path.dirname(createRequire(import.meta.url).resolve('mocha/package.json')), 'bin/mocha.js')

export type Run = {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly out: () => string
  readonly ended: Promise<Ended>
}
type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** Starts mocha as `npm test` does, with two workers, or without any. */
export function startMocha(
  files: readonly string[],
  { workers = 2, env = {} }: { readonly workers?: 0 | 2; readonly env?: Readonly<Record<string, string>> } = {},
): Run {
  const paths = files.map(file => `test/harness/${file}`)
  const parallel = workers === 0 ? [] : ['--parallel', '--jobs', `${workers}`]
  const args = [MOCHA, '--no-color', ...parallel, '--reporter', 'spec', ...paths]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, ...said }))
  return { child, out: () => said.out, ended }
}
