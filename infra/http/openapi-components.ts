/** What all operations of the OpenAPI document have in common. */
import { z } from 'zod'
import { rowProofSchema } from '../../projections/notary/row-proof.ts'

const text = { type: 'string' } as const

/** The headers that answers carry. */
export const HEADERS = {
  'X-Correlation-Id': {
    description: 'Follows the request through logs and events; a caller may bring its own',
    schema: text,
  },
  ETag: { description: 'Revision of the thing, in quotes: for `If-Match` of its commands', schema: text },
  'Kogi-Next': { description: 'There where a file holds not all: the `after` of the next one', schema: text },
  'Kogi-Position': { description: 'Position in the log: for `Kogi-Min-Position`', schema: text },
  'Idempotency-Key': { description: 'The key that names this command', schema: text },
  Location: { description: 'Path of the thing that was made', schema: text },
  'Retry-After': { description: 'Seconds to wait before another try', schema: { type: 'integer' } },
} as const

const { $schema: _, ...rowProof } = z.toJSONSchema(rowProofSchema)

/** The envelope of every answer. */
export const SHARED_SCHEMAS = {
  RowProof: { ...rowProof, description: 'the proof of the row, or of its absence: there with `proof=true`' },
  Meta: {
    type: 'object',
    required: ['request_id', 'timestamp'],
    properties: {
      request_id: { type: 'string', format: 'uuid' },
      timestamp: { type: 'string', format: 'date-time' },
      position: { type: 'string', description: 'position in the log that the answer has reached' },
      as_of: { type: 'string', description: 'position that a question with `as_of` was answered for' },
      proof: { $ref: '#/components/schemas/RowProof' },
      legs: {
        type: 'object',
        description: 'of a search by legs: whether each answered, its weight, and why it did not',
        additionalProperties: {
          type: 'object',
          required: ['state', 'weight'],
          properties: {
            state: { type: 'string', enum: ['answered', 'silent', 'failed'] },
            weight: { type: 'number' },
            reason: { type: 'string' },
          },
        },
      },
    },
  },
  Pagination: {
    type: 'object',
    required: ['limit', 'has_more'],
    properties: {
      limit: { type: 'integer' },
      has_more: { type: 'boolean' },
      next: { type: 'string', description: 'cursor of the next page: for `after`' },
      offset: { type: 'integer' },
      total: { type: 'integer' },
    },
  },
  Error: {
    type: 'object',
    required: ['error', 'meta'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message', 'details'],
        properties: {
          code: text,
          message: text,
          details: {
            type: 'array',
            items: { type: 'object', required: ['field', 'message'], properties: { field: text, message: text } },
          },
        },
      },
      meta: { $ref: '#/components/schemas/Meta' },
    },
  },
} as const

type Components = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The components that paths refer to, or that other used ones refer to; those of security have no references. */
export function used(paths: unknown, components: Components): Components {
  const found = new Set<string>()
  const collect = (node: unknown): void => {
    for (const [, kind, name] of JSON.stringify(node).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      if (found.has(`${kind} ${name}`)) continue
      found.add(`${kind} ${name}`)
      collect(components[kind!]![name!])
    }
  }
  collect(paths)
  const left = Object.entries(components).map(([kind, all]) => {
    const kept = Object.entries(all).filter(([name]) => kind === 'securitySchemes' || found.has(`${kind} ${name}`))
    return [kind, Object.fromEntries(kept)] as const
  })
  return Object.fromEntries(left)
}
