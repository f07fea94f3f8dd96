/** Contact books as vCards, and which of their contacts may be the same. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { id, oneOf } from '../../domain/kernel/schema.ts'
import { duplicatesOf } from '../../domain/office/contact/duplicates.ts'
import { cardText, VERSIONS, type Version } from '../../domain/office/contact/vcard-text.ts'
import { contactBooks } from '../../projections/office/contact-books.ts'
import { contacts } from '../../projections/office/contacts.ts'
import { asOfErrors, asOfParameter } from '../as-of.ts'
import { readErrors } from '../consistency.ts'
import { fromPath, inQuery, queriesOf, tokenParameters } from '../parameters.ts'
import type { ResourceDeps } from '../resource.ts'
import { notFound } from '../scope.ts'
import { rowsOf } from './rows.ts'

const CONTACTS_MAX = 20_000
const PAIRS_MAX = 500

const shared: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('contact book'), description: 'id of the contact book' },
  asOfParameter,
  ...tokenParameters,
]
const version = inQuery('version', oneOf(...VERSIONS), 'of the vCards; 4.0, if left out')
const duplicate = z
  .strictObject({
    first: id('contact'),
    second: id('contact'),
    why: z.array(z.string()).meta({ description: 'what they share' }),
    merged: z.record(z.string(), z.unknown()).meta({
      description: 'the body of `PUT /koff/contacts/:first` that has what both say',
    }),
  })
  .meta({ title: 'ContactDuplicate' })

const errors = { ...asOfErrors, 404: ['not_found'], ...readErrors }

export function contactRoutes(deps: ResourceDeps): readonly Route[] {
  const [books, inBook] = [rowsOf(deps, contactBooks), rowsOf(deps, contacts)]
  const read = async (request: Parameters<Route['handle']>[0]) => {
    const book = fromPath(request, 'id', id('contact book'))
    const found = await inBook(request, { book }, CONTACTS_MAX)
    if (found.rows.length > 0) return found
    const { rows } = await books(request, { sort: 'id' }, CONTACTS_MAX)
    if (rows.some(row => row.id === book)) return found
    throw notFound('contact book', [book], undefined)
  }
  return [
    {
      method: 'GET',
      path: '/koff/contact-books/:id/vcards',
      operationId: 'exportContacts',
      summary: 'The contacts of a book as vCards of a version.',
      permission: 'office.contacts.read',
      tag: 'koff',
      parameters: [...shared, version],
      response: z.string(),
      media: ['text/vcard'],
      errors,
      async handle(request) {
        const query = queriesOf(request, [...shared, version])
        const { rows, headers } = await read(request)
        const content = rows.map(row => cardText(row, (query.version ?? '4.0') as Version)).join('')
        return { file: { name: 'contacts.vcf', type: 'text/vcard; charset=utf-8', content }, headers }
      },
    },
    {
      method: 'GET',
      path: '/koff/contact-books/:id/duplicates',
      operationId: 'listContactDuplicates',
      summary: 'Contacts of a book that may be the same, what they share, and what both would be; nothing is merged.',
      permission: 'office.contacts.read',
      tag: 'koff',
      parameters: shared,
      response: z.array(duplicate),
      errors,
      async handle(request) {
        queriesOf(request, shared)
        const { rows, headers } = await read(request)
        return { data: duplicatesOf(rows, PAIRS_MAX), headers }
      },
    },
  ]
}
