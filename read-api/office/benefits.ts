/** `GET /koff/benefits/:id/statement`: what a member has of a plan, and how much of it is theirs. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, currency, date, id, integer, minorUnits, text } from '../../domain/kernel/schema.ts'
import { monthsBetween, type Vesting, vestedOf } from '../../domain/office/benefit/vesting.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { benefitPlans } from '../../projections/office/benefit-plans.ts'
import { benefits } from '../../projections/office/benefits.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { USUAL_UNIT } from '../../projections/wallet/posting-sums.ts'
import { noHistoryErrors } from '../as-of.ts'
import { dayOf } from '../computed.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { fromPath, inQuery, queriesOf, tokenParameters } from '../parameters.ts'
import { notFound } from '../scope.ts'

const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('benefit'), description: 'id of the benefit' },
  inQuery('day', date, 'the day that it is of; today, if left out'),
  ...tokenParameters,
]

const response = z
  .strictObject({
    benefit: id('benefit'),
    plan: id('benefit plan'),
    plan_name: text(255),
    kind: text(64),
    member: subjectName,
    day: date,
    months: integer(0, 12_000).meta({ description: 'whole months that count for the vesting' }),
    currency,
    places: integer(0, 30),
    own: minorUnits.meta({ description: 'what the member gave, and brought along' }),
    employer: minorUnits.meta({ description: 'what the employer gave' }),
    vested: minorUnits.meta({ description: 'how much of that is theirs' }),
    theirs: minorUnits.meta({ description: '`own` and `vested` together' }),
    portable: boolean.meta({
      description: 'whether they may take it along: another organization notes it as `brought`',
    }),
  })
  .meta({ title: 'BenefitStatement' })

const OF = [benefits, benefitPlans, accountDays]

/** Sums of an account up to the day, by their decimal places: `{ "usual": "120000" }`. */
const givenTo = (account: string) => `(select jsonb_object_agg(s.unit, s.sum::text) from (
  select d.unit, sum(d.credits) as sum from "${tableOf(accountDays)}" d
  where d.org = $2 and d.wallet = b.wallet and d.account = b.${account} and d.currency = b.currency
    and d.effective_on <= $4 group by 1) s)`

type Sums = Readonly<Record<string, string>> | null
type Columns = [
  exists: string | null,
  plan: string,
  member: string,
  startsOn: string,
  endsOn: string | null,
  currency: string,
  brought: { readonly amount: string } | null,
  planName: string | null,
  kind: string | null,
  vesting: Vesting | null,
  portable: boolean | null,
  own: Sums,
  employer: Sums,
]

/** The route of statements: contributions are read where they were booked. */
export const benefitRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/koff/benefits/:id/statement',
  operationId: 'getBenefitStatement',
  summary: 'What a member has of a plan on a day: what was given, how much is vested, and what they may take along.',
  permission: 'office.benefits.read',
  alsoNeeds: ['office.benefit-plans.read', 'wallet.entries.read'],
  tag: 'koff',
  parameters,
  response,
  errors: { ...noHistoryErrors, 404: ['not_found'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const name = fromPath(request, 'id', id('benefit'))
    const day = query.day ?? dayOf(undefined)!
    const text = `select c.position, c.stalled, b.id, b.plan, b.member, b.starts_on, b.ends_on, b.currency, b.brought,
        p.name, p.kind, p.vesting, p.portable, ${givenTo('own_account')}, ${givenTo('employer_account')}
      from ${checkpointsSql(OF)}
      left join "${tableOf(benefits)}" b on b.org = $2 and b.id = $3
      left join "${tableOf(benefitPlans)}" p on p.org = b.org and p.id = b.plan`
    const values = [request.principal.org, name, day]
    const { rows, position } = await read(deps, request, { of: OF, text, values }, { token: tokenOf(request, query) })
    const found = rows[0]!.slice(2) as Columns
    const [exists, plan, member, startsOn, endsOn, unit, brought, planName, kind, vesting, portable, own, employer] =
      found
    if (exists === null) throw notFound('benefit', [name], undefined)
    const last = endsOn !== null && endsOn < day ? endsOn : day
    const months = Math.max(0, monthsBetween(startsOn, last))
    const usual = placesOf(unit) ?? 0
    const broughtIn = brought === null ? {} : { [USUAL_UNIT]: brought.amount }
    const places = placesIn([own, employer], usual)
    const given = totalOf(employer, usual, places)
    const theirOwn = totalOf(own, usual, places) + totalOf(broughtIn, usual, places)
    const vested = vestedOf(given, vesting ?? undefined, months)
    const data = {
      benefit: name,
      plan,
      plan_name: planName ?? plan,
      kind: kind ?? 'removed',
      member,
      day,
      months,
      currency: unit,
      places,
      own: String(theirOwn),
      employer: String(given),
      vested: String(vested),
      theirs: String(theirOwn + vested),
      portable: portable ?? false,
    }
    return { data, ...positioned(position, undefined) }
  },
})

/** The finest decimal places of some sums. */
const placesIn = (all: readonly Sums[], usual: number): number =>
  Math.max(
    usual,
    ...all.flatMap(sums => Object.keys(sums ?? {}).map(unit => (unit === USUAL_UNIT ? usual : Number(unit)))),
  )

const totalOf = (sums: Sums, usual: number, places: number): bigint =>
  Object.entries(sums ?? {}).reduce(
    (total, [unit, sum]) => total + BigInt(sum) * 10n ** BigInt(places - (unit === USUAL_UNIT ? usual : Number(unit))),
    0n,
  )
