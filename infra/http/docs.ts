import { createRequire } from 'node:module'
import path from 'node:path'
import type { Express, Response } from 'express'
import type { Route } from '../../domain/kernel/route.ts'
import { VERSION } from '../version.ts'
import { DOCS_PAGE, DOCS_STYLE, docsScript } from './docs-page.ts'
import { type OpenApiOptions, openApi, titleOf } from './openapi.ts'

/** Allows no other host: the page must work without a network, and a token must not leave it. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Files of the viewer that the page loads. */
const VIEWER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-standalone-preset.js'] as const
const require = createRequire(import.meta.url)
const VIEWER = path.dirname(require.resolve('swagger-ui-dist/package.json'))

/**
 * Adds `/openapi.json`, `/openapi/<tag>.json` with the routes of one service, and `/docs`, a page to read them and to
 * try every operation.
 */
export function mountDocs(app: Express, routes: readonly Route[], options: Omit<OpenApiOptions, 'version'>): void {
  const tags = [...new Set(routes.map(({ tag }) => tag))]
  const document = (own: readonly Route[]) => {
    let text: string | undefined
    return (_: unknown, response: Response) => {
      text ??= JSON.stringify(openApi(own, { ...options, version: VERSION }))
      response.setHeader('Access-Control-Allow-Origin', '*')
      send(response, 'application/json', text)
    }
  }
  app.get('/openapi.json', document(routes))
  for (const tag of tags) {
    app.get(`/openapi/${tag}.json`, document(routes.filter(route => route.tag === tag)))
  }

  app.get('/docs', (_, response) => {
    response.setHeader('Content-Security-Policy', CONTENT_POLICY)
    send(response, 'text/html', DOCS_PAGE)
  })
  const shown = tags.map(tag => ({ url: `/openapi/${tag}.json`, name: titleOf(options.services, tag) }))
  const script = docsScript([{ url: '/openapi.json', name: 'All services' }, ...shown])
  app.get('/docs/page.js', (_, response) => send(response, 'text/javascript', script))
  app.get('/docs/page.css', (_, response) => send(response, 'text/css', DOCS_STYLE))
  for (const file of VIEWER_FILES) {
    app.get(`/docs/${file}`, (_, response) => response.sendFile(file, { root: VIEWER, maxAge: '1h' }))
  }
}

function send(response: Response, type: string, body: string): void {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.type(type).send(body)
}
