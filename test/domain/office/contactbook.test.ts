import { contactBook } from '../../../domain/office/contactbook/contactbook.ts'
import { specFor } from '../../support/spec.ts'
import { isOwned } from './owned.ts'

describe('contact book', () => isOwned(specFor(contactBook).given, 'ContactBook', 'organizational'))
