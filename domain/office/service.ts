import { service } from '../kernel/service.ts'
import { benefit } from './benefit/benefit.ts'
import { benefitPlan } from './benefitplan/benefitplan.ts'
import { calendar } from './calendar/calendar.ts'
import { calendarEvent } from './calendarevent/calendarevent.ts'
import { contact } from './contact/contact.ts'
import { contactBook } from './contactbook/contactbook.ts'
import { note } from './note/note.ts'
import { noteBook } from './notebook/notebook.ts'
import { office } from './office/office.ts'
import { officeWorkspace } from './officeworkspace/officeworkspace.ts'

export const officeService = service({
  code: 'koff',
  word: 'office',
  title: 'Office: contacts, notes, workspaces, calendars and benefits',
  aggregates: [
    office,
    contactBook,
    contact,
    noteBook,
    note,
    officeWorkspace,
    calendar,
    calendarEvent,
    benefitPlan,
    benefit,
  ],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read', 'calendar-events.answer'],
    auditor: ['*.read'],
  },
})
