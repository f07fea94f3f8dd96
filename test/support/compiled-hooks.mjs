/**
 * Loads compiled code where a `.ts` file is asked for. Files of `test/` keep their addresses, because they look for
 * other files beside themselves; everything else is the build in its folder, as it is when it is installed.
 */
import { readFile } from 'node:fs/promises'

let sources = ''
let tests = ''
let compiled = ''

export function initialize(data) {
  sources = data.sources
  compiled = data.compiled
  tests = `${sources}test/`
}

export function resolve(specifier, context, next) {
  const { parentURL = sources } = context
  const isOurs = specifier.startsWith('.') ? isSource(parentURL) || parentURL.startsWith(compiled) : isSource(specifier)
  if (!isOurs) return next(specifier, context)
  // Compiled code imports `./x.js` where the source says `./x.ts`.
  const url = new URL(specifier, parentURL).href.replace(/\.js$/, '.ts')
  return { url: url.startsWith(tests) ? url : compiledOf(url), format: 'module', shortCircuit: true }
}

export async function load(url, context, next) {
  if (!isSource(url)) return next(url, context)
  return { format: 'module', source: await readFile(new URL(compiledOf(url))), shortCircuit: true }
}

const isSource = url => url.startsWith(sources) && url.endsWith('.ts')

const compiledOf = url => url.replace(sources, compiled).replace(/\.ts$/, '.js')
