/** The whole platform as lists: an aggregate is a line in its service's list, a read model one in `models.ts`. */
import { replayProcess } from '../commands/processes/apps/replays.ts'
import { placementProcess } from '../commands/processes/briefcase/placement.ts'
import { taskProcess } from '../commands/processes/center/task-parts.ts'
import { orderProcess } from '../commands/processes/exchange/order.ts'
import { digestProcess } from '../commands/processes/hub/digest.ts'
import { leavingProcess } from '../commands/processes/identity/leaving.ts'
import { forgettingProcess } from '../commands/processes/memory/forgetting.ts'
import type { AnyProcess } from '../commands/processes/process.ts'
import { campaignProcess } from '../commands/processes/wallet/campaign.ts'
import { paymentProcess } from '../commands/processes/wallet/payment.ts'
import { standingOrderProcess } from '../commands/processes/wallet/standing-order.ts'
import { transferProcess } from '../commands/processes/wallet/transfer.ts'
import { appsService } from '../domain/apps/service.ts'
import { auditService } from '../domain/audit/service.ts'
import { briefcaseService } from '../domain/briefcase/service.ts'
import { centerService } from '../domain/center/service.ts'
import { exchangeService } from '../domain/exchange/service.ts'
import { hubService } from '../domain/hub/service.ts'
import { identityService } from '../domain/identity/service.ts'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { eventCodec } from '../domain/kernel/codec.ts'
import type { Service } from '../domain/kernel/service.ts'
import { memoryService } from '../domain/memory/service.ts'
import { officeService } from '../domain/office/service.ts'
import { platformService } from '../domain/platform/service.ts'
import { safeDecode } from '../domain/record/decoder.ts'
import { roomsService } from '../domain/rooms/service.ts'
import { settingsService } from '../domain/settings/service.ts'
import { vaultService } from '../domain/vault/service.ts'
import { walletService } from '../domain/wallet/service.ts'
import { appsModels } from '../projections/apps/models.ts'
import { accessRequestTimers } from '../projections/audit/access-request-timers.ts'
import { consentTimers } from '../projections/audit/consent-timers.ts'
import { auditModels } from '../projections/audit/models.ts'
import { briefcaseModels } from '../projections/briefcase/models.ts'
import { centerModels } from '../projections/center/models.ts'
import { taskTimers } from '../projections/center/task-timers.ts'
import { auctionTimers } from '../projections/exchange/auction-timers.ts'
import { exchangeModels } from '../projections/exchange/models.ts'
import { negotiationTimers } from '../projections/exchange/negotiation-timers.ts'
import { orderTimers } from '../projections/exchange/order-timers.ts'
import { digestTimers } from '../projections/hub/digest-timers.ts'
import { hubModels } from '../projections/hub/models.ts'
import { identityModels } from '../projections/identity/models.ts'
import { memoriesOf, memoryPermissionsOf } from '../projections/memory/memories.ts'
import { memoryTimers } from '../projections/memory/memory-timers.ts'
import { memoryModels } from '../projections/memory/models.ts'
import { calendarEventTimers } from '../projections/office/calendar-event-timers.ts'
import { officeModels } from '../projections/office/models.ts'
import { messageTimers } from '../projections/rooms/message-timers.ts'
import { roomsModels } from '../projections/rooms/models.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { vaultModels } from '../projections/vault/models.ts'
import { secretTimers } from '../projections/vault/secret-timers.ts'
import { campaignTimers } from '../projections/wallet/campaign-timers.ts'
import { holdTimers } from '../projections/wallet/hold-timers.ts'
import { walletModels } from '../projections/wallet/models.ts'
import { standingOrderTimers } from '../projections/wallet/standing-order-timers.ts'
import { transferTimers } from '../projections/wallet/transfer-timers.ts'
import { kindsOf } from '../read-api/hub/sentences.ts'
import { readPermissionsOf } from '../read-api/live/announced.ts'
import { Guards } from '../read-api/readers.ts'
import { type Resource, resourcesOf } from '../read-api/resource.ts'

export const services: readonly Service[] = [
  walletService,
  briefcaseService,
  centerService,
  officeService,
  exchangeService,
  roomsService,
  hubService,
  appsService,
  memoryService,
  auditService,
  identityService,
  vaultService,
  settingsService,
  platformService,
]

export const aggregates: readonly AnyAggregate[] = services.flatMap(service => service.aggregates)

/** The word of the service that each category belongs to. */
export const serviceOfCategory: ReadonlyMap<string, string> = new Map(
  services.flatMap(({ word, aggregates }) => aggregates.map(({ name }) => [name, word] as const)),
)

/** The names of all events. */
export const eventTypes: readonly string[] = aggregates.flatMap(({ events }) => Object.keys(events))

const models: readonly AnyProjection[] = [
  ...walletModels,
  ...briefcaseModels,
  ...centerModels,
  ...officeModels,
  ...exchangeModels,
  ...roomsModels,
  ...hubModels,
  ...appsModels,
  ...memoryModels,
  ...identityModels,
  ...vaultModels,
]

/** The read models whose rows are timers. */
export const timerModels: readonly AnyProjection[] = [
  holdTimers,
  transferTimers,
  standingOrderTimers,
  campaignTimers,
  taskTimers,
  auctionTimers,
  negotiationTimers,
  orderTimers,
  calendarEventTimers,
  messageTimers,
  digestTimers,
  consentTimers,
  memoryTimers,
  accessRequestTimers,
  secretTimers,
]

/** The processes, each with a checkpoint of its own. */
export const processes: readonly AnyProcess[] = [
  transferProcess,
  standingOrderProcess,
  paymentProcess,
  campaignProcess,
  orderProcess,
  replayProcess,
  digestProcess,
  taskProcess,
  placementProcess,
  forgettingProcess,
  leavingProcess,
]

/** What is remembered of the models, for search. */
export const memories = memoriesOf(models)

export const projections: readonly AnyProjection[] = [...models, memories, ...auditModels]

/** Who may read which rows. */
export const guards = new Guards(projections)

/** Prefixes of the streams that hold domain events: the one filter with which consumers read `$all`. */
export const domainStreamPrefixes: readonly string[] = aggregates.map(({ name }) => `${name}-`)

/** Everything that is read as a list of rows and the rows in it. */
export const resources: readonly Resource[] = resourcesOf(services, projections)

/** The permission that reading the things of each category needs: of the first read model that has a row for each. */
export const readPermissions: ReadonlyMap<string, string> = readPermissionsOf(aggregates, resources)

/** The things that the activity feed tells of, by category; those that no read model shows are for auditors. */
export const kinds = kindsOf(aggregates, resources, 'audit.log.read')

/** The permission that a caller needs for memories of each kind. */
export const memoryPermissions: ReadonlyMap<string, string> = memoryPermissionsOf(projections)

export const codec = eventCodec(aggregates, safeDecode)
