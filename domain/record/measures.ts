import { z } from 'zod'
import { column } from '../kernel/schema.ts'

/** A number that need not be whole, for measures. Money is none: see `minorUnits`. */
export const number = (min: number, max: number) => column(z.number().min(min).max(max), 'double precision')

/** A value of one of two forms, kept as JSON. */
export const either = <A extends z.ZodType, B extends z.ZodType>(a: A, b: B, description: string) =>
  column(z.union([a, b]).meta({ description }), 'jsonb')
