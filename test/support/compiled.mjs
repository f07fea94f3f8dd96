/**
 * Tests run as compiled JavaScript. The first process of a run compiles all sources once (`tsc`, no type check) into a
 * folder of that run; it, mocha's workers and the processes that tests start load every `.ts` file from there. Their
 * addresses stay those of the sources, in `import.meta.url` and in stack traces.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = path.resolve(import.meta.dirname, '../..')

function compile() {
  const folder = mkdtempSync(path.join(tmpdir(), 'kogi-compiled-'))
  removeAtEnd(folder)
  chmodSync(folder, 0o755) // A test starts a process as another user.
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const options = ['-p', ROOT, '--noEmit', 'false', '--noCheck', '--rootDir', ROOT, '--outDir', folder]
  execFileSync(process.execPath, [tsc, ...options, '--inlineSourceMap', '--sourceRoot', ROOT], { stdio: 'inherit' })
  return folder
}

/** Removes a folder when this process ends, also when it is killed: a shell waits for the end of a pipe from it. */
function removeAtEnd(folder) {
  const args = ['-c', 'read -r _; rm -rf "$0"', folder]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  shell.stdin.unref()
}

process.env.KOGI_TEST_COMPILED ??= compile()
register('./compiled-hooks.mjs', import.meta.url, {
  data: { from: `${pathToFileURL(ROOT)}/`, to: process.env.KOGI_TEST_COMPILED },
})
