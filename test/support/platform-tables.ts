/** The tables that the platform's description names for the briefcase and the center, and what fills them. */

/** A command: its body is JSON, or the text of a form. */
export type Sent = readonly [method: string, path: string, body: object | string]
type Table = {
  readonly columns: string
  /** A command that makes a row, in the names of the table; none for rows that others make. */
  readonly make?: Sent
  /** Where the row is read; behind a blank, the column of what is read that has the rows. */
  readonly read: string
}

const DAYS = { start_date: '2026-11-16', end_date: '2026-11-27' }
const SPAN = { timeframe_start: '2027-01-01', timeframe_end: '2027-12-31' }
const STAMPS = 'created_at updated_at'
/** What separates the parts of a form. */
export const BOUNDARY = 'platform'

/** A text as the one file of a form. */
function formOf(name: string, text: string): string {
  const head = `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/plain`
  return `--${BOUNDARY}\r\n${head}\r\n\r\n${text}\r\n--${BOUNDARY}--\r\n`
}

/** The columns of each table, in the order in which rows need one another. */
export const TABLES: Readonly<Record<string, Table>> = {
  briefcases: {
    columns: `id owner_id name description ${STAMPS}`,
    make: ['POST', '/kbfc/briefcases', { id: 'own', name: 'Studio', description: 'All of it.' }],
    read: '/kbfc/briefcase',
  },
  portfolio_items: {
    columns: `id briefcase_id type name description status owner_id version metadata ${STAMPS}`,
    make: [
      'POST',
      '/briefcase/items',
      {
        id: 'shop',
        briefcase_id: 'own',
        type: 'project',
        name: 'Shop',
        description: 'A shop.',
        metadata: { pages: 3, sold: null },
      },
    ],
    read: '/briefcase/items/shop',
  },
  item_books: {
    columns:
      'id item_id charter executive_summary details guidelines version notes references annotations sections ' +
      `${STAMPS}`,
    make: [
      'PUT',
      '/briefcase/items/shop/book',
      {
        charter: 'Bread.',
        executive_summary: 'A shop that sells bread.',
        details: 'Orders.',
        guidelines: 'Be kind.',
        sections: [{ id: 'scope', title: 'Scope', content: 'All.' }],
      },
    ],
    read: '/briefcase/items/shop/book',
  },
  book_sections: {
    columns: `id book_id title content section_order ${STAMPS}`,
    read: '/kbfc/items/shop/book/parts/scope',
  },
  item_files: {
    columns: `id item_id name file_type file_path file_size version metadata ${STAMPS}`,
    make: ['POST', '/briefcase/items/shop/files', formOf('offer.txt', 'Bread for all.')],
    read: '/briefcase/items/shop/files',
  },
  item_workspaces: {
    columns: `id item_id name configuration files plugins ${STAMPS}`,
    make: ['POST', '/kbfc/workspaces', { id: 'desk', item_id: 'shop', name: 'Desk', configuration: { light: true } }],
    read: '/kbfc/workspaces/desk',
  },
  item_binders: {
    columns: `id workspace_id name description ${STAMPS}`,
    make: [
      'POST',
      '/kbfc/binders',
      {
        id: 'bank',
        workspace_id: 'desk',
        name: 'Bank',
        description: 'For the bank.',
        content: [{ content_type: 'item', content_id: 'shop' }],
      },
    ],
    read: '/kbfc/binders/bank',
  },
  binder_content: {
    columns: 'id binder_id content_type content_id content_order created_at',
    read: '/kbfc/binders/bank binder_content',
  },
  item_libraries: {
    columns: `id briefcase_id name library_type ${STAMPS}`,
    make: ['POST', '/kbfc/libraries', { id: 'type', briefcase_id: 'own', name: 'Type', library_type: 'fonts' }],
    read: '/kbfc/libraries/type',
  },
  library_assets: {
    columns: `id library_id name asset_type asset_path metadata ${STAMPS}`,
    make: [
      'POST',
      '/kbfc/library-assets',
      { id: 'font', library_id: 'type', name: 'Grotesk', asset_type: 'font', asset_path: 'a.woff2' },
    ],
    read: '/kbfc/library-assets/font',
  },
  digital_centers: {
    columns: `id owner_id name center_type ${STAMPS}`,
    make: ['POST', '/kctr/center', { id: 'north', name: 'North', center_type: 'team' }],
    read: '/kctr/center/north',
  },
  projects: {
    columns:
      'id center_id portfolio_item_id project_type name description status start_date end_date priority metadata ' +
      STAMPS,
    make: [
      'POST',
      '/kctr/project',
      {
        ...DAYS,
        id: 'app',
        center_id: 'north',
        portfolio_item_id: 'shop',
        project_type: 'software',
        name: 'App',
        description: 'An app.',
        priority: 'high',
        metadata: { a: 1 },
      },
    ],
    read: '/center/projects/app',
  },
  project_resources: {
    columns: `id project_id resource_type resource_id role allocation_percentage start_date end_date ${STAMPS}`,
    make: [
      'POST',
      '/kctr/resources',
      {
        ...DAYS,
        id: 'mira',
        project_id: 'app',
        resource_type: 'person',
        resource_id: 'mira',
        role: 'lead',
        allocation_percentage: 50,
      },
    ],
    read: '/kctr/resources/mira',
  },
  sprints: {
    columns: `id project_id name goal start_date end_date status ${STAMPS}`,
    make: ['POST', '/kctr/sprints', { ...DAYS, id: 'one', project_id: 'app', name: 'One', goal: 'A menu.' }],
    read: '/kctr/sprint/one',
  },
  tasks: {
    columns:
      'id project_id sprint_id name description task_type status priority assigned_to estimated_hours actual_hours ' +
      `due_date ${STAMPS}`,
    make: [
      'POST',
      '/kctr/tasks',
      {
        id: 'menu',
        project_id: 'app',
        name: 'Menu',
        description: 'A menu.',
        task_type: 'story',
        priority: 'low',
        assigned_to: 'mira',
        estimated_hours: 4,
        due_date: '2026-12-01',
      },
    ],
    read: '/center/tasks/menu',
  },
  task_dependencies: {
    columns: 'id task_id depends_on_task_id dependency_type created_at',
    make: ['POST', '/kctr/tasks/menu/dependencies', { depends_on_task_id: 'paper', dependency_type: 'finish_start' }],
    read: '/kctr/tasks/menu/dependencies',
  },
  backlogs: {
    columns: `id project_id name description ${STAMPS}`,
    make: ['POST', '/kctr/backlogs', { id: 'ideas', project_id: 'app', name: 'Ideas', description: 'What may be.' }],
    read: '/kctr/backlogs/ideas',
  },
  backlog_items: {
    columns: `id backlog_id task_id item_type priority status ${STAMPS}`,
    make: ['POST', '/kctr/backlogs/ideas/items', { task_id: 'menu', item_type: 'story' }],
    read: '/kctr/backlogs/ideas/items',
  },
  risks: {
    columns: `id project_id title description probability impact risk_score status mitigation_plan ${STAMPS}`,
    make: [
      'POST',
      '/kctr/risks',
      {
        id: 'fire',
        project_id: 'app',
        title: 'Fire',
        description: 'It burns.',
        probability: 0.1,
        impact: 0.9,
        mitigation_plan: 'Water.',
      },
    ],
    read: '/kctr/risks/fire',
  },
  project_metrics: {
    columns: 'id project_id metric_name metric_value target_value unit measured_at created_at',
    make: [
      'POST',
      '/kctr/metrics',
      { id: 'people', project_id: 'app', metric_name: 'People', target_value: 9, unit: 'a day' },
    ],
    read: '/kctr/metrics/people',
  },
  strategic_plans: {
    columns: `id center_id name description timeframe_start timeframe_end objectives ${STAMPS}`,
    make: ['POST', '/kctr/plans', { ...SPAN, id: 'year', center_id: 'north', name: 'A year', description: 'Of work.' }],
    read: '/kctr/plans/year',
  },
  item_catalog: {
    columns: `id briefcase_id item_id catalog_metadata search_vector ${STAMPS}`,
    read: '/kbfc/catalog?search_vector=true',
  },
  item_archive: { columns: 'id item_id archived_at archive_reason archived_data', read: '/kbfc/archive' },
}

/** What comes before and after the command that makes a row, so that all its columns have values. */
export const BEFORE: Readonly<Record<string, readonly Sent[]>> = {
  task_dependencies: [['POST', '/kctr/tasks', { id: 'paper', name: 'Paper' }]],
  item_archive: [['DELETE', '/briefcase/items/shop', { reason: 'sold' }]],
}
export const AFTER: Readonly<Record<string, readonly Sent[]>> = {
  tasks: [
    ['PUT', '/kctr/tasks/menu/sprint', { sprint_id: 'one' }],
    ['POST', '/kctr/tasks/menu/time-entries', { minutes: 30, worked_on: '2026-11-20' }],
  ],
  project_metrics: [
    ['POST', '/kctr/measurements', { metric_id: 'people', metric_value: 7, measured_at: '2026-11-20T18:00:00.000Z' }],
  ],
}
