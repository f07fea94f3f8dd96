/** Runs a benchmark as what is installed runs: from a bundle, without a loader that compiles on the way. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { bundle } from '../bundle.mjs'
import type { Figure } from './figure.ts'

const OUT = path.resolve(import.meta.dirname, '../../dist/bench/scripts')

/** The figures of a benchmark, in a process of its own. `name`: the file of this folder that exports it. */
export async function asBuilt(name: string, benchmark: () => Promise<Figure[]>): Promise<Figure[]> {
  for (const { path: file, contents } of bundle(OUT, [`scripts/bench/${name}.ts`, 'scripts/kogi.ts'])) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, contents)
  }
  const script = path.join(OUT, 'bench', `run-${name}.mjs`)
  const call = `console.log(JSON.stringify(await ${benchmark.name}()))`
  writeFileSync(script, `import { ${benchmark.name} } from './${name}.js'\n${call}\n`)
  // A file, and no code on the command line: processes hand their options on to those that they start.
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  return JSON.parse(stdout)
}
