import { calendar } from '../../../domain/office/calendar/calendar.ts'
import { specFor } from '../../support/spec.ts'
import { isOwned } from './owned.ts'

describe('calendar', () => isOwned(specFor(calendar).given, 'Calendar', 'team'))
