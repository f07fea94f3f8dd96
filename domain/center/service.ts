import { service } from '../kernel/service.ts'
import { center } from './center/center.ts'
import { project } from './project/project.ts'
import { projectTemplate } from './projecttemplate/projecttemplate.ts'
import { sprint } from './sprint/sprint.ts'
import { task } from './task/task.ts'
import { taskGraph } from './taskgraph/taskgraph.ts'

export const centerService = service({
  code: 'kctr',
  word: 'center',
  title: 'Center: projects, tasks and sprints',
  aggregates: [center, projectTemplate, project, sprint, task, taskGraph],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*.read', 'projects.write', 'tasks.write', 'sprints.write', 'comments.write', 'time.write'],
    contributor: ['*.read', 'projects.write', 'tasks.write', 'comments.write', 'time.write'],
    viewer: ['*.read'],
    guest: ['*.read'],
    auditor: ['*.read'],
  },
})
