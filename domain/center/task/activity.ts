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
    TaskCompleted: said`completed the task ${THING}`,
    TaskRemoved: said`removed the task ${THING}`,
    TaskDue: said`noted that the task ${THING} is due`,
  },
}

function handed(done: Phrase, from: string | null, to: string | null, kind = ''): Phrase {
  if (to !== null) return [...done, ` to ${kind}${to}`]
  return said`took the task ${THING} from ${kind}${from ?? 'nobody'}`
}
