import type { AnyProjection } from '../rows/projection.ts'
import { benefitPlans } from './benefit-plans.ts'
import { benefits } from './benefits.ts'
import { calendarEventTimers } from './calendar-event-timers.ts'
import { calendarEvents } from './calendar-events.ts'
import { calendars } from './calendars.ts'
import { contactBooks } from './contact-books.ts'
import { contacts } from './contacts.ts'
import { noteBooks } from './note-books.ts'
import { notes } from './notes.ts'
import { officeWorkspaces } from './office-workspaces.ts'
import { offices } from './offices.ts'

export const officeModels: readonly AnyProjection[] = [
  offices,
  contactBooks,
  contacts,
  noteBooks,
  notes,
  officeWorkspaces,
  calendars,
  calendarEvents,
  calendarEventTimers,
  benefitPlans,
  benefits,
]
