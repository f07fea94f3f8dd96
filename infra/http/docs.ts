import { readFileSync } from 'node:fs'
import type { Express } from 'express'
import type { Route } from '../../domain/kernel/route.ts'
import { DOCS_PAGE, DOCS_SCRIPT } from './docs-page.ts'
import { type OpenApiOptions, openApi } from './openapi.ts'

/** Allows no other host: the page must work without a network, and a token must not leave it. */
const CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'"

/** Adds `/openapi.json` and `/docs`, a page to read it and to try every operation. */
export function mountDocs(app: Express, routes: readonly Route[], services: OpenApiOptions['services']): void {
  let document: string | undefined
  app.get('/openapi.json', (_request, response) => {
    document ??= JSON.stringify(openApi(routes, { version: packageVersion(), services }))
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.type('application/json').send(document)
  })
  app.get('/docs', (_request, response) => {
    response.setHeader('Content-Security-Policy', CONTENT_POLICY)
    response.type('html').send(DOCS_PAGE)
  })
  app.get('/docs/page.js', (_request, response) => {
    response.type('text/javascript').send(DOCS_SCRIPT)
  })
}

/** The version of this package: its manifest stands two folders up in a checkout and three in a build. */
function packageVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version
    } catch {
      // The manifest is not in this folder.
    }
  }
  return '0.0.0'
}
