/** What people are notified of. Kinds are only ever added: events hold their names. */
export const KINDS = [
  'task_assigned',
  'mentioned',
  'transfer_completed',
  'transfer_refused',
  'transfer_timed_out',
  'task_due',
  'webhook_disabled',
  'transfer_approval_asked',
  'transfer_declined',
  'payments_ended',
  'budget_passed',
  'import_done',
  'access_request_due',
  'secret_rotation_due',
  'event_reminder',
] as const
export type Kind = (typeof KINDS)[number]

/** The ways on which notifications reach people. */
export const CHANNELS = ['in_app', 'email', 'webhook'] as const
export type Channel = (typeof CHANNELS)[number]
