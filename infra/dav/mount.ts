import type { Express } from 'express'
import { DAV_BASE } from './acts.ts'
import { davServer } from './server.ts'

/** Serves calendars and contact books at `/dav`, and says so where clients look for it (RFC 6764). */
export function mountDav(app: Express, deps: Parameters<typeof davServer>[0]): void {
  const serve = davServer(deps)
  app.use(['/.well-known/caldav', '/.well-known/carddav'], (_, response) => {
    response.writeHead(301, { Location: `${DAV_BASE}/` }).end()
  })
  app.use((request, response, next) => {
    if (request.url === DAV_BASE || request.url.startsWith(`${DAV_BASE}/`)) void serve(request, response)
    else next()
  })
}
