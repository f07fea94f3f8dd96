/** Loads the `.ts` files of the project from the folder of `compiled.mjs`. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

let from = ''
let to = ''

export function initialize(data) {
  from = data.from
  to = data.to
}

/** Compiled code imports `./x.js` where the source says `./x.ts`. */
export function resolve(specifier, context, next) {
  const { parentURL } = context
  if (!specifier.startsWith('.') || !parentURL?.startsWith(from) || !parentURL.endsWith('.ts'))
    return next(specifier, context)
  const url = new URL(specifier.replace(/\.js$/, '.ts'), parentURL).href
  return { url, format: 'module', shortCircuit: true }
}

export async function load(url, context, next) {
  if (!url.startsWith(from) || !url.endsWith('.ts')) return next(url, context)
  const file = path.join(to, decodeURIComponent(url.slice(from.length)).replace(/\.ts$/, '.js'))
  return { format: 'module', source: await readFile(file), shortCircuit: true }
}
