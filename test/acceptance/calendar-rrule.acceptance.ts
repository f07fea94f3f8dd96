import { expect } from 'chai'
import { type Due, firstDue, nextDue } from '../../domain/time/due.ts'
import { parseRule } from '../../domain/time/rule.ts'
import { standingOrder } from '../../domain/wallet/standingorder/standingorder.ts'
import { CONTEXT, stateOf } from '../support/spec.ts'
import { checksum, dataSet } from './data-sets.ts'

type Case = {
  readonly id: string
  readonly rrule: string
  readonly dtstart: string
  readonly instances: readonly string[]
  readonly proved: boolean
  readonly error?: string
}

describe('calendar_rrule: standing orders on published rules', function () {
  const set = dataSet(this, 'calendar_rrule', 'cases.jsonl')
  const cases: readonly Case[] = set.oracle
    ? set
        .text('cases.jsonl')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    : []

  it('are due at the listed instants, all of them and no others', () => {
    const lines = cases.filter(({ proved }) => proved).flatMap(linesOf)
    expect(lines).to.have.length(set.oracle.instances_of_proved)
    expect(checksum(lines)).to.equal(set.oracle.sha256_proved)
  })

  it('fire at these instants, one after another', () => {
    for (const one of cases.filter(({ proved }) => proved)) {
      expect(firedBy(one), `${one.id} ${one.rrule}`).to.deep.equal(one.instances)
    }
  })

  it('refuse the rule that must be refused', () => {
    const wrong = cases.filter(({ error }) => error !== undefined)
    expect(wrong).to.have.length(set.oracle.must_fail)
    for (const { rrule } of wrong) expect(parseRule(rrule)).to.be.a('string')
  })
})

/** A date means its beginning; all times are read in UTC. */
const startOf = (text: string) => {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?$/.exec(text)!
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`
}

/** An instant in the form that the start of the case has. */
const formOf = (dtstart: string, { at }: Due) => {
  const text = at.slice(0, 19).replaceAll(/[-:]/g, '')
  return dtstart.includes('T') ? `${text}${dtstart.endsWith('Z') ? 'Z' : ''}` : text.slice(0, 8)
}

const BEFORE = '1900-01-01T00:00:00.000Z'

/** The instants of a rule; a rule without an end as many as are listed. */
function instancesOf({ rrule, dtstart, instances }: Case): readonly string[] {
  const recurrence = { rule: rrule, starts: startOf(dtstart), zone: 'UTC' }
  const max = /COUNT|UNTIL/.test(rrule) ? Number.POSITIVE_INFINITY : instances.length
  const found: string[] = []
  for (let due = firstDue(recurrence, BEFORE); due && found.length < max; due = nextDue(recurrence, due)) {
    found.push(formOf(dtstart, due))
  }
  return found
}

/** `id#nnnn:instance,number of instances`. */
function linesOf(one: Case): readonly string[] {
  const found = instancesOf(one)
  return found.map((at, n) => `${one.id}#${String(n).padStart(4, '0')}:${at},${found.length}`)
}

/** Opens a standing order long before and fires it whenever it is due, by its own rules. */
function firedBy({ rrule, dtstart, instances }: Case): readonly string[] {
  const context = { ...CONTEXT, at: BEFORE, newId: () => '00000000-0000-4000-8000-000000000001' }
  const account = { from: 'a', from_account: 'main', to: 'b', to_account: 'main', currency: 'EUR', amount: 1n }
  const body = { ...account, rule: rrule, starts: startOf(dtstart), zone: 'UTC' }
  const facts = [...standingOrder.decide.open(standingOrder.initial, body, context)]
  const fired: string[] = []
  for (;;) {
    const state = stateOf(standingOrder, facts)
    if (state.status !== 'open') return fired
    if (!/COUNT|UNTIL/.test(rrule) && fired.length === instances.length) return fired
    facts.push(...standingOrder.decide.fire(state, { due: state.next }, context))
    fired.push(formOf(dtstart, state.next))
  }
}
