/** Tasks as files: a calendar of what is due (RFC 5545), and a table for spreadsheets (RFC 4180). */
import { setImmediate } from 'node:timers/promises'
import { labelsText } from '../../domain/center/task/labels.ts'
import { escaped, fileOf } from '../../domain/record/content-line.ts'
import { csvField } from '../../domain/record/csv.ts'
import { projects } from '../../projections/center/projects.ts'
import { sprints } from '../../projections/center/sprints.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { invalidParameter } from '../parameters.ts'
import { isAsked, ofTasks } from './of-tasks.ts'
import type { Question } from './question.ts'

/** Tasks of one table, and rows of it that are written before other requests get their turn. */
const TASKS_MAX = 200_000
const ROWS_AT_ONCE = 2_000
/** Events of one calendar: what reads calendars takes some megabytes at most. */
const EVENTS_MAX = 20_000

export const calendarQuestion: Question = {
  path: '/kctr/calendar',
  operationId: 'getCenterCalendar',
  summary: 'A calendar (iCalendar) of the days on which tasks that are left are due, and projects and sprints end.',
  permission: 'center.tasks.read',
  parameters: ofTasks,
  of: [tasks, projects, sprints],
  sql(asked) {
    const { rows, query } = asked
    const all = Object.keys(query).every(name => !['project', 'team', 'assignee', 'sprint'].includes(name))
    return `select 'task' as kind, t.id, t.name, t.due_on as day, t.updated_at, t.description
        from ${rows(tasks)} t where t.due_on is not null and t.stage in ('todo', 'doing') and ${isAsked(asked, 't')}
      ${
        all
          ? `union all select 'project', p.id, p.name, p.ends_on, p.updated_at, null from ${rows(projects)} p
        where p.ends_on is not null
      union all select 'sprint', s.id, s.name, s.end_date, s.updated_at, s.goal from ${rows(sprints)} s
        where s.status <> 'completed'`
          : ''
      } order by 4, 1, 2 limit ${EVENTS_MAX + 1}`
  },
  media: ['text/calendar'],
  file(rows) {
    if (rows.length > EVENTS_MAX)
      throw invalidParameter('assignee', `must be named, or a project: there are more than ${EVENTS_MAX} days`)
    const events = (rows as readonly (readonly string[])[]).flatMap(([kind, id, name, day, updated, about]) => [
      'BEGIN:VEVENT',
      `UID:${escaped(`${kind}-${encodeURIComponent(id!)}@kogi`)}`,
      `DTSTAMP:${updated!.slice(0, 19).replaceAll(/[-:]/g, '')}Z`,
      // An event of a date without an end lasts that day (section 3.6.1).
      `DTSTART;VALUE=DATE:${compact(day!)}`,
      `SUMMARY:${escaped(kind === 'task' ? name! : `${name} (${kind} ends)`)}`,
      ...(about === null ? [] : [`DESCRIPTION:${escaped(about!)}`]),
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
    ])
    const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Kogi//Center//EN', ...events, 'END:VCALENDAR']
    return {
      name: 'center.ics',
      type: 'text/calendar; charset=utf-8',
      content: fileOf(lines),
    }
  },
}

const compact = (day: string) => day.replaceAll('-', '')

/** The columns of the table: those that an import reads stand first. */
const COLUMNS = ['id', 'name', 'description', 'type', 'status', 'priority', 'project', 'parent', 'assignee', 'team']
const MORE = ['labels', 'due_on', 'estimated_hours', 'sprint', 'stage', 'actual_hours', 'created_at', 'completed_at']

export const tableQuestion: Question = {
  path: '/kctr/task-table',
  operationId: 'exportTasks',
  summary: 'The tasks as CSV, for spreadsheets and for `POST /kctr/task-table`.',
  permission: 'center.tasks.read',
  parameters: ofTasks,
  of: [tasks],
  sql: asked => `select ${[...COLUMNS, ...MORE].map(name => `t."${name}"`).join(', ')}
    from ${asked.rows(tasks)} t where ${isAsked(asked, 't')} order by t.id limit ${TASKS_MAX + 1}`,
  media: ['text/csv'],
  async file(rows) {
    if (rows.length > TASKS_MAX)
      throw invalidParameter('project', `must be named: there are more than ${TASKS_MAX} tasks`)
    const cell = (value: unknown) => {
      if (value === null) return ''
      if (Array.isArray(value)) return csvField(labelsText(value))
      return csvField(value as string | number)
    }
    let content = `${[...COLUMNS, ...MORE].join(',')}\r\n`
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      if (at > 0) await setImmediate()
      for (const row of rows.slice(at, at + ROWS_AT_ONCE)) content += `${row.map(cell).join(',')}\r\n`
    }
    return { name: 'tasks.csv', type: 'text/csv; charset=utf-8', content }
  },
}
