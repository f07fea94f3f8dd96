/** How clients give commands to tasks. */
import type { Operation } from '../../kernel/aggregate.ts'
import type { commands } from './messages.ts'

export const api = {
  create: ['POST /tasks', 'tasks.write', 'Create a task, or create a removed one again.'],
  change: [
    'PATCH /tasks/:id',
    'tasks.write',
    'Change any fields of a task, merged as RFC 7396 says: null removes; what is not named stays.',
  ],
  changeStatus: [
    'PUT /tasks/:id/status',
    'tasks.write',
    'Give a task another status, as its workflow allows; on a completed task this reopens it.',
  ],
  assign: ['PUT /tasks/:id/assignee', 'tasks.write', 'Assign a task to a person or resource, or to none with null.'],
  moveToTeam: ['PUT /tasks/:id/team', 'tasks.write', 'Hand a task to a team, or to none with null.'],
  moveToSprint: ['PUT /tasks/:id/sprint', 'tasks.write', 'Add a task to a sprint, or take it out with null.'],
  complete: ['POST /tasks/:id/complete', 'tasks.write', 'Complete a task.'],
  remove: ['DELETE /tasks/:id', 'tasks.write', 'Remove a task.'],
  noteDue: 'internal',
  setChecklist: ['PUT /tasks/:id/checklist', 'tasks.write', 'Set the checklist of a task.'],
  tick: ['PUT /tasks/:id/checklist/:item', 'tasks.write', 'Tick an item of the checklist, or take the tick away.'],
  comment: [
    'POST /tasks/:id/comments',
    'comments.write',
    'Comment on a task; `@name` notifies a user.',
    '/tasks/:id/comments/:comment',
  ],
  changeComment: ['PUT /tasks/:id/comments/:comment', 'comments.write', 'Change a comment of the caller.'],
  removeComment: ['DELETE /tasks/:id/comments/:comment', 'comments.write', 'Remove a comment of the caller.'],
  logTime: [
    'POST /tasks/:id/time-entries',
    'time.write',
    'Log time that was worked on a task.',
    '/tasks/:id/time-entries/:entry',
  ],
  correctTime: ['PUT /tasks/:id/time-entries/:entry', 'time.write', 'Correct a time entry that is not posted.'],
  removeTime: ['DELETE /tasks/:id/time-entries/:entry', 'time.write', 'Remove a time entry that is not posted.'],
  postTime: [
    'PUT /tasks/:id/time-entries/:entry/posting',
    'time.post',
    'Post what a time entry costs, its rate times its hours, to an account of a wallet.',
  ],
  recordPosting: 'internal',
  refusePosting: 'internal',
  askPostingAgain: 'internal',
} satisfies { readonly [K in keyof typeof commands]: Operation | 'internal' } as {
  readonly [K in keyof typeof commands]: Operation | 'internal'
}
