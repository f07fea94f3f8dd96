/** `GET /kmg/operations`: what operators did with the whole installation, beside the log of any organization. */
import { z } from 'zod'
import type { Route } from '../../domain/kernel/route.ts'
import { oneOf, text, timestamp } from '../../domain/kernel/schema.ts'
import { notesRoute, number, type ReadNotes } from './notes.ts'

const operation = z.strictObject({
  number,
  what: oneOf('backup_made', 'backup_restored', 'keys_rotated', 'signing_key_rotated').meta({
    description:
      'a backup was written whole; one was restored, and the read models compared; keys of persons were wrapped anew',
  }),
  at: timestamp,
  done: text(500).meta({ description: 'what was done, in one sentence; it says nothing about any organization' }),
})
export type Operation = z.output<typeof operation>

export type OperationDeps = { readonly operations: ReadNotes<Operation> }

/** The route of operations. */
export const operationsRoute = ({ operations }: OperationDeps): Route =>
  notesRoute({
    name: 'operations',
    operationId: 'listOperations',
    summary: 'What operators did with the whole installation, the latest first: backups, restores, rotations of keys.',
    permission: 'audit.operations.read',
    row: operation,
    filters: ['what'],
    read: operations,
  })
