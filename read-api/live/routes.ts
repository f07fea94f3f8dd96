/** The routes of what clients follow as it happens. */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { eventStreamRoute, type LiveDeps } from './event-stream.ts'
import { messageSchema } from './session.ts'

export const liveRoutes = (deps: LiveDeps): Route[] => [eventStreamRoute(deps), socketRoute]

/** The WebSocket as the documentation shows it; the upgrade itself is answered before routes are looked at. */
const socketRoute: Route = {
  method: 'GET',
  path: '/ws',
  permission: 'signed in',
  operationId: 'openSocket',
  summary: 'Open a WebSocket; send `auth` with a token, then `subscribe` to channels (docs/live.md).',
  tag: 'events',
  parameters: [],
  response: messageSchema,
  errors: { 426: ['upgrade_required'], 429: ['too_many_requests'] },
  async handle() {
    throw new KogiError('upgrade_required', 'This path is a WebSocket.')
  },
}
