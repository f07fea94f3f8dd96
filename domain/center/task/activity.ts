import type { Activity, Phrase } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'name',
  on: {
    TaskCreated: ({ project, assignee }) => [
      ...said`created the task ${THING}`,
      ...(project === undefined ? [] : said` in the project ${mention('project', project)}`),
      ...(assignee === undefined ? [] : said` for ${assignee}`),
    ],
    TaskChanged: said`changed the task ${THING}`,
    TaskStatusChanged: ({ from, to }) => said`moved the task ${THING} from ${from} to ${to}`,
    TaskAssigned: ({ from, to }) => handed(said`assigned the task ${THING}`, from, to),
    TaskMovedToTeam: ({ from, to }) => handed(said`handed the task ${THING}`, from, to, 'the team '),
    TaskMovedToSprint: ({ from, to }) =>
      to === null
        ? said`took the task ${THING} out of the sprint ${mention('sprint', from ?? '')}`
        : said`added the task ${THING} to the sprint ${mention('sprint', to)}`,
    TaskCompleted: said`completed the task ${THING}`,
    TaskRemoved: said`removed the task ${THING}`,
    TaskDue: said`noted that the task ${THING} is due`,
    TaskChecklistSet: ({ items }) => {
      const done = items.filter(item => item.done).length
      return said`set the checklist of the task ${THING}: ${String(done)} of ${String(items.length)} done`
    },
    TaskCommented: said`commented on the task ${THING}`,
    TaskCommentChanged: said`changed a comment on the task ${THING}`,
    TaskCommentRemoved: said`removed a comment on the task ${THING}`,
    TimeLogged: ({ minutes, user }) => said`logged ${String(minutes)} minutes of ${user} on the task ${THING}`,
    TimeCorrected: ({ minutes, minutesBefore }) =>
      said`corrected ${String(minutesBefore)} minutes on the task ${THING} to ${String(minutes)}`,
    TimeRemoved: ({ minutes }) => said`removed ${String(minutes)} minutes from the task ${THING}`,
    TimePostingRequested: ({ wallet }) =>
      said`asked to post time of the task ${THING} to the wallet ${mention('wallet', wallet)}`,
    TimePosted: said`posted time of the task ${THING}`,
    TimePostingRefused: ({ code }) => said`refused to post time of the task ${THING} (${code})`,
  },
}

function handed(done: Phrase, from: string | null, to: string | null, kind = ''): Phrase {
  if (to !== null) return [...done, ` to ${kind}${to}`]
  return said`took the task ${THING} from ${kind}${from ?? 'nobody'}`
}
