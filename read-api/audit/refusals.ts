/**
 * `GET /kmg/refused-commands`: what the rules refused, the latest first. The notes are those of the write side, which
 * makes as many as it can, and not more than some a second for each org: others may have been refused too.
 */
import { z } from 'zod'
import type { Route } from '../../domain/kernel/route.ts'
import { id, text, timestamp } from '../../domain/kernel/schema.ts'
import { notesRoute, number, type ReadNotes } from './notes.ts'

const refusal = z.strictObject({
  number,
  command: text(200).meta({ description: 'as the OpenAPI document names it', examples: ['wallet.debit'] }),
  id: id('thing'),
  code: text(64).meta({ description: 'code of the error that was answered', examples: ['insufficient_funds'] }),
  actor: text(128),
  correlation_id: text(255),
  at: timestamp.optional().meta({ description: 'absent in notes of earlier versions' }),
})
export type Refusal = z.output<typeof refusal>

export type RefusalDeps = { readonly refusals: ReadNotes<Refusal> }

/** The route of refused commands. */
export const refusalsRoute = ({ refusals }: RefusalDeps): Route =>
  notesRoute({
    name: 'refused-commands',
    operationId: 'listRefusedCommands',
    summary: 'What the rules refused, the latest first: who, when, which command on what, and the code of the error.',
    permission: 'audit.refusals.read',
    row: refusal,
    filters: ['command', 'id', 'code', 'actor', 'correlation_id'],
    read: refusals,
  })
