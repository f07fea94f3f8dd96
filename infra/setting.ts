import type { z } from 'zod'

export type Environment = Readonly<Record<string, string | undefined>>

/** One setting of the environment: its variable, its check, its default and its meaning. */
export type Setting<T> = {
  readonly variable: string
  readonly schema: z.ZodType<T, string>
  /** Used when the variable is absent or empty; `undefined` means that the setting has no value then. */
  readonly default: string | undefined
  /** Whether production must name it, beside which others: the default is for development alone. */
  readonly requiredInProduction: boolean | ((given: Environment) => boolean)
  /** True where the value may hold a password, or be a key by mistake: messages and logs never show it. */
  readonly secret: boolean
  readonly unit: string
  readonly meaning: string
}

export function setting<T, const D extends string | undefined>(
  variable: string,
  schema: z.ZodType<T, string>,
  byDefault: D,
  unit: string,
  rest: { meaning: string; requiredInProduction?: Setting<T>['requiredInProduction']; secret?: boolean },
): Setting<D extends string ? T : T | undefined> {
  const { meaning, requiredInProduction = false, secret = false } = rest
  return { variable, schema, default: byDefault, requiredInProduction, secret, unit, meaning }
}
