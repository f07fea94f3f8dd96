/** What follows from tasks: what time costs is posted to wallets, and nothing depends on a removed task any more. */
import { events } from '../../../domain/center/task/messages.ts'
import { task } from '../../../domain/center/task/task.ts'
import { FORGET_TIMES, taskGraph } from '../../../domain/center/taskgraph/taskgraph.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { leadingTo, process, step } from '../process.ts'

export const taskProcess = process({
  name: 'task',
  of: { task: events },
  on: {
    TaskCreated: null,
    TaskChanged: null,
    TaskStatusChanged: null,
    TaskAssigned: null,
    TaskMovedToTeam: null,
    TaskMovedToSprint: null,
    TaskCompleted: null,
    TaskRemoved: ({ metadata: { id } }) =>
      Array.from({ length: FORGET_TIMES }, () =>
        leadingTo(step(taskGraph, 'forgetTask', 'tasks', { task: id }), 'DependencyRemoved'),
      ),
    TaskDue: null,
    TaskChecklistSet: null,
    TaskCommented: null,
    TaskCommentChanged: null,
    TaskCommentRemoved: null,
    TimeLogged: null,
    TimeCorrected: null,
    TimeRemoved: null,
    TimePostingRequested({ data, metadata: { id } }) {
      const { entry, wallet: to, kind, ...posted } = data
      return [
        step(wallet, kind, to, posted, ({ code, message, details = [] }) => {
          if (code === 'reference_removed' && details.some(({ field }) => field === 'project')) {
            const { project: _, ...rest } = data
            return step(task, 'askPostingAgain', id, rest)
          }
          return step(task, 'refusePosting', id, { entry, code: code.slice(0, 64), reason: message.slice(0, 1000) })
        }),
        step(task, 'recordPosting', id, { entry }),
      ]
    },
    TimePosted: null,
    TimePostingRefused: null,
  },
})
