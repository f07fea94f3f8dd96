/** The routes of imports of bank statements. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { toWire } from '../../domain/kernel/json.ts'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, date, id, integer, list, object, oneOf, text, uuid } from '../../domain/kernel/schema.ts'
import { reason } from '../../domain/record/reason.ts'
import { MATCHES_MAX, STATEMENTS_MAX, statementSummary } from '../../domain/wallet/import/messages.ts'
import { written } from '../../domain/wallet/statement/exact.ts'
import { STATEMENT_FORMATS } from '../../domain/wallet/statement/file.ts'
import { failedTests, NO_RULES, type Rules, rulesSchema } from '../../domain/wallet/statement/rules.ts'
import { type CommandDeps, dryRunOf, dryRunParameter, parseBody } from '../requests.ts'
import type { ImportOptions, ImportPlan, PlannedRow } from './plan.ts'
import type { ReadXml } from './read.ts'
import { type Imported, importStatement, undoImport } from './statement.ts'

/** A file of some 60,000 rows, in base64. */
const BODY_BYTES_MAX = 32 * 1024 * 1024
const ROWS_SHOWN_MAX = 1000

/** What a request or a command line says of an import, as options of it. */
export const optionsSchema = {
  rules: rulesSchema.optional().meta({ description: 'rules that give rows their accounts, and read CSV' }),
  account: text(255).optional().meta({ description: 'account of the wallet, where the rules name none' }),
  on_match: oneOf('ask', 'match', 'book')
    .default('ask')
    .meta({ description: 'rows that may be entries of the wallet: refuse until that is said, match them, book them' }),
  matches: list(object({ row: text(100), entry: id('entry').nullable() }), MATCHES_MAX)
    .default([])
    .meta({ description: 'the entry that a row stands for, or null where it is to be booked' }),
  accept_gaps: boolean.default(false).meta({ description: 'import statements whose balances contradict their rows' }),
  any_schema: boolean
    .default(false)
    .meta({ description: 'import a camt message that its schema does not accept, where what is read of it is sound' }),
  opening: oneOf('book', 'leave')
    .default('book')
    .meta({ description: 'whether the opening balance of an account that the wallet does not have is booked' }),
}
const body = object({
  format: oneOf(...STATEMENT_FORMATS),
  name: text(255).meta({ description: 'name of the file' }),
  content: z.base64().max(BODY_BYTES_MAX).meta({ description: 'the file, in base64' }),
  ...optionsSchema,
})
const example = {
  format: 'csv',
  name: 'january.csv',
  content: Buffer.from('day;amount;payee\n31.01.2026;-12,50;Corner shop\n').toString('base64'),
  account: 'checking',
  rules: {
    csv: {
      delimiter: ';',
      decimal_mark: ',',
      date_format: 'DD.MM.YYYY',
      currency: 'EUR',
      account: 'DE89370400440532013000',
      columns: { date: 'day', amount: 'amount', payee: 'payee' },
    },
    rules: [{ when: { payee: 'corner' }, account: 'external:groceries' }],
  },
}

const count = integer(0, 2_147_483_647)
const rowSchema = object({
  row: z.string().meta({ description: 'key of the row, to say what it stands for' }),
  line: count,
  date,
  amount: z.string().meta({ description: 'a decimal number, in the currency' }),
  currency: z.string(),
  account: z.string(),
  against: z.string().meta({ description: 'account on the other side' }),
  description: z.string(),
  rule: count.optional().meta({ description: 'number of the rule that decided it, from 1' }),
  status: oneOf('new', 'there', 'matched', 'proposed', 'empty'),
  entry: id('entry').optional().meta({ description: 'the entry that the row is, stands for, or may stand for' }),
})
const response = object({
  import: uuid,
  status: oneOf('proposed', 'refused', 'booked').meta({
    description: '`proposed` and `refused` are of dry runs: what the import would do, or that it would be refused',
  }),
  refusal: object({
    code: z.string(),
    message: z.string(),
    details: list(object({ field: z.string(), message: z.string() }), 1000),
  })
    .optional()
    .meta({ description: 'the error that the import would be answered with' }),
  sha256: z.string(),
  booked: count.meta({
    description: 'entries that were appended; in a dry run, that would be: none where it is refused',
  }),
  rows: count,
  pending: count,
  new: count.meta({ description: 'rows that are booked, or would be once what refuses is decided' }),
  there: count,
  matched: count,
  proposed: count,
  empty: count,
  accounts_opened: list(object({ account: text(255), currency: z.string() }), 10_000),
  statements: list(statementSummary, STATEMENTS_MAX),
  notes: list(z.string(), 1000),
  shown: list(rowSchema, ROWS_SHOWN_MAX).meta({
    description: 'the first rows, those that ask for a decision before all',
  }),
})

const walletId: Parameter = { name: 'id', in: 'path', schema: id('wallet'), description: 'id of the wallet' }
const errors = {
  400: ['invalid_body'],
  404: ['not_found'],
  409: ['conflict', 'import_undo_unfinished'],
  422: ['import_invalid', 'statement_invalid', 'statement_gap', 'matches_undecided', 'import_undone'],
  503: ['engine_unavailable', 'outcome_unknown'],
} as const

export function importRoutes(deps: CommandDeps & { readonly readXml: ReadXml }): Route[] {
  const shared = {
    method: 'POST',
    permission: 'wallet.imports.write',
    tag: 'kwlt',
    answerHeaders: ['Kogi-Position'],
  } as const
  return [
    {
      ...shared,
      path: '/kwlt/wallets/:id/imports',
      operationId: 'import.statement',
      summary:
        'Import a bank statement (camt.052/053/054, MT940, MT942, OFX, CSV): it is read, checked and decided as a ' +
        'whole first, and a refusal writes nothing. The same file again adds nothing.',
      parameters: [walletId, dryRunParameter],
      body: body.meta({ examples: [example] }),
      bodyBytesMax: BODY_BYTES_MAX,
      response,
      errors,
      async handle({ params, body: sent, query, principal, correlationId }) {
        const { format, name, content, ...said } = parseBody(body, sent)
        const dryRun = dryRunOf(query) !== undefined
        deps.mustAllow(principal, 'wallet.entries.write')
        const options = importOptions(said)
        const bytes = Buffer.from(content, 'base64')
        const onPlan = (plan: ImportPlan) => {
          if (openedBy(plan).length > 0) deps.mustAllow(principal, 'wallet.wallets.write')
        }
        const request = { principal, wallet: params.id!, correlationId, bytes, name, format, options, dryRun, onPlan }
        const made = await importStatement(deps, request)
        return { status: 200, data: toWire(answerOf(made)), headers: { 'Kogi-Position': String(made.position) } }
      },
    },
    {
      ...shared,
      path: '/kwlt/imports/:id/undo',
      operationId: 'import.undo',
      summary: 'Take every entry of an import back. The file can be imported again then.',
      parameters: [{ name: 'id', in: 'path', schema: id('import'), description: 'id of the import' }, dryRunParameter],
      body: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'Wrong account' }] }),
      response: object({ import: uuid, reversed: count }),
      errors,
      async handle({ params, body: sent, query, principal, correlationId }) {
        const why = parseBody(object({ reason: reason.optional() }), sent)
        const dryRun = dryRunOf(query) !== undefined
        deps.mustAllow(principal, 'wallet.entries.write')
        const asked = { principal, correlationId, import: params.id!, dryRun, ...why }
        const { position, ...data } = await undoImport(deps, asked)
        return { status: 200, data, headers: { 'Kogi-Position': String(position) } }
      },
    },
  ]
}

type Said = ReturnType<z.ZodObject<typeof optionsSchema>['parse']>

/** Options of an import from what was said. Refuses rules that fail their own tests. */
export function importOptions({
  rules: given,
  account,
  on_match,
  matches,
  accept_gaps,
  any_schema,
  opening,
}: Said): ImportOptions {
  const rules: Rules = given ?? NO_RULES
  const failed = failedTests(rules)
  if (failed.length > 0) {
    const details = failed.map(message => ({ field: 'rules.tests', message }))
    throw new KogiError('import_invalid', `The rules fail their own tests: ${failed[0]}.`, details)
  }
  const said = new Map(matches.map(({ row, entry }) => [row, entry] as const))
  return { rules, account, onMatch: on_match, matches: said, acceptGaps: accept_gaps, anySchema: any_schema, opening }
}

/** The accounts that a plan opens. */
export const openedBy = ({ steps }: ImportPlan) =>
  steps
    .filter(({ command }) => command === 'openAccount')
    .map(({ body }) => {
      const { account, currency } = body as { readonly account: string; readonly currency: string }
      return { account, currency }
    })

/** What is said of an import, in memory form. */
export function answerOf({ plan, file: _, position: __, ...made }: Imported) {
  const counted = (status: PlannedRow['status']) => plan.rows.filter(row => row.status === status).length
  const inOrder = [
    ...plan.rows.filter(({ status }) => status === 'proposed'),
    ...plan.rows.filter(({ status }) => status !== 'proposed'),
  ]
  return {
    ...made,
    rows: plan.rows.length + plan.pending,
    pending: plan.pending,
    new: counted('new'),
    there: counted('there'),
    matched: counted('matched'),
    proposed: counted('proposed'),
    empty: counted('empty'),
    accounts_opened: openedBy(plan),
    statements: plan.statements,
    notes: plan.notes.slice(0, 1000),
    shown: inOrder.slice(0, ROWS_SHOWN_MAX).map(rowAnswer),
  }
}

const rowAnswer = ({
  key,
  line,
  date: on,
  amount,
  currency,
  account,
  against,
  words,
  rule,
  status,
  entry,
}: PlannedRow) => ({
  row: key,
  line,
  date: on,
  amount: written(amount),
  currency,
  account,
  against,
  description: words,
  status,
  ...(rule !== undefined && { rule }),
  ...(entry !== undefined && { entry }),
})
