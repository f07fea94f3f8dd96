import { service } from '../kernel/service.ts'
import { backlog } from './backlog/backlog.ts'
import { center } from './center/center.ts'
import { keyResult } from './keyresult/keyresult.ts'
import { measurement } from './measurement/measurement.ts'
import { metric } from './metric/metric.ts'
import { objective } from './objective/objective.ts'
import { page } from './page/page.ts'
import { project } from './project/project.ts'
import { projectResource } from './projectresource/projectresource.ts'
import { projectTemplate } from './projecttemplate/projecttemplate.ts'
import { risk } from './risk/risk.ts'
import { sprint } from './sprint/sprint.ts'
import { strategicPlan } from './strategicplan/strategicplan.ts'
import { task } from './task/task.ts'
import { taskGraph } from './taskgraph/taskgraph.ts'

/** What those who work on projects may change; those who lead them may change `LEAD`. */
const WORK = ['projects', 'tasks', 'comments', 'time', 'backlogs', 'risks', 'measurements', 'pages']
const LEAD = [...WORK, 'sprints', 'metrics', 'keyresults', 'resources']

export const centerService = service({
  code: 'kctr',
  word: 'center',
  title: 'Center: projects, tasks, sprints, risks and plans',
  aggregates: [
    center,
    projectTemplate,
    project,
    projectResource,
    sprint,
    task,
    taskGraph,
    backlog,
    risk,
    metric,
    measurement,
    strategicPlan,
    objective,
    keyResult,
    page,
  ],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*.read', ...LEAD.map(name => `${name}.write`)],
    contributor: ['*.read', ...WORK.map(name => `${name}.write`)],
    viewer: ['*.read'],
    guest: ['*.read'],
    auditor: ['*.read'],
  },
})
