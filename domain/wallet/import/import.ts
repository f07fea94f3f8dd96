import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

export type Import = { readonly status: 'none' | 'started' | 'booked' | 'undoing' | 'undone' }

const evolve: Evolve<Import, typeof events> = {
  ImportStarted: () => ({ status: 'started' }),
  ImportBooked: () => ({ status: 'booked' }),
  ImportUndoStarted: () => ({ status: 'undoing' }),
  ImportUndone: () => ({ status: 'undone' }),
}

const decide: Decide<Import, typeof commands, typeof events> = {
  start({ status }, read) {
    if (status !== 'none') throw rejected('import_already_started', 'Another file has this number; take the next one.')
    return [{ type: 'ImportStarted', data: read }]
  },
  finish({ status }, done) {
    if (status === 'undoing' || status === 'undone') {
      throw rejected('import_undone', 'The import was taken back; import the file again as a new one.')
    }
    return status === 'started' ? [{ type: 'ImportBooked', data: done }] : []
  },
  undo({ status }, { reason }) {
    if (status === 'undoing' || status === 'undone') return []
    return [{ type: 'ImportUndoStarted', data: because(reason) }]
  },
  finishUndo: ({ status }, done) => (status === 'undoing' ? [{ type: 'ImportUndone', data: done }] : []),
}

/** A bank statement that was imported into a wallet: what was read, booked and taken back. */
export const bankImport = aggregate({
  name: 'import',
  events,
  commands,
  api: { start: 'internal', finish: 'internal', undo: 'internal', finishUndo: 'internal' },
  rejections,
  initial: { status: 'none' } as Import,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})
