import { service } from '../kernel/service.ts'
import { project } from './project/project.ts'
import { task } from './task/task.ts'

export const centerService = service({
  code: 'kctr',
  word: 'center',
  title: 'Center: projects and tasks',
  aggregates: [project, task],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    guest: ['*.read'],
    auditor: ['*.read'],
  },
})
