/** The errors of routes as an OpenAPI document says them. */
import type { Route } from '../../domain/kernel/route.ts'
import { isSensitive } from '../auth/step-up.ts'
import { errorCatalogue } from './errors.ts'
import type { JsonObject, RefTo } from './openapi-schemas.ts'

export type ErrorAnswers = { readonly status: number; readonly codes: readonly string[] }

/** The errors that every route has, and those that it names itself. */
export function errorsOf({ body, upload, permission, parameters, errors }: Route): ErrorAnswers[] {
  const common: string[] = ['internal', 'engine_unavailable', 'draining']
  if (parameters.length > 0) common.push('invalid_parameter')
  if (upload) common.push('invalid_body', 'body_too_large', 'unsupported_media_type')
  if (body) common.push('invalid_json', 'invalid_body', 'body_too_large', 'unsupported_media_type')
  if (permission !== null) common.push('unauthenticated', 'invalid_token', 'account_suspended', 'not_a_member')
  if (permission !== null && isSensitive(permission)) common.push('insufficient_user_authentication')
  if (permission !== null && permission !== 'signed in') common.push('forbidden')
  const all = new Map<number, Set<string>>()
  const add = (status: number, code: string) => all.set(status, (all.get(status) ?? new Set()).add(code))
  for (const code of common) add(errorCatalogue[code as keyof typeof errorCatalogue].status, code)
  for (const [status, codes] of Object.entries(errors)) for (const code of codes) add(Number(status), code)
  return [...all].map(([status, codes]) => ({ status, codes: [...codes].sort() }))
}

/** One component for each status with the same codes, which most routes share. */
export function namedErrors() {
  const names = new Map<string, string>()
  const all: Record<string, JsonObject> = {}
  const refTo: RefTo<ErrorAnswers> = answers => {
    const key = `${answers.status} ${answers.codes}`
    if (!names.has(key)) {
      const others = [...names.keys()].filter(other => other.startsWith(`${answers.status} `)).length
      const name = others === 0 ? `Error${answers.status}` : `Error${answers.status}.${others + 1}`
      names.set(key, name)
      all[name] = failure(answers)
    }
    return { $ref: `#/components/responses/${names.get(key)}` }
  }
  return { all, refTo }
}

function failure({ status, codes }: ErrorAnswers): JsonObject {
  const narrowed = { properties: { error: { properties: { code: { enum: codes } } } } }
  return {
    description: codes.map(described).join('\n'),
    headers: headerRefs([409, 429, 503].includes(status) ? ['Retry-After'] : []),
    content: { 'application/json': { schema: { allOf: [{ $ref: '#/components/schemas/Error' }, narrowed] } } },
  }
}

function described(code: string): string {
  const known = (errorCatalogue as Readonly<Record<string, { message: string; advice: string }>>)[code]
  return known ? `\`${code}\`: ${known.message} ${known.advice}` : `\`${code}\``
}

export function headerRefs(names: readonly string[]): JsonObject {
  const all = ['X-Correlation-Id', ...names]
  return Object.fromEntries(all.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}
