import { expect } from 'chai'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import type { RowsQuery } from '../../read-api/pool.ts'
import { PAGE } from '../../read-api/wallet/books/load.ts'
import { makeWorld, type World } from './support.ts'

const ENTRIES = process.env.KOGI_LONG ? 500_000 : 20_000
/** Accounts of the wallet: what books may keep in memory grows with these alone. */
const ACCOUNTS = 7

describe('read API: books of any number of entries', function books() {
  this.timeout(300_000)
  let world: World
  /** How many rows each statement brought into memory. */
  let rowsOf: number[] = []
  let last: RowsQuery | undefined
  before(async () => {
    const watched = {
      async query(query: RowsQuery) {
        const answer = await world.pool.query<unknown[]>(query)
        rowsOf.push(answer.rows.length)
        last = query
        return answer
      },
    }
    world = await makeWorld({ pool: watched as never })
    const { pool } = world
    await pool.query(
      `insert into ${tableOf(balances)} (org, wallet, account, currency, places, minor_places, overdraft, type, status,
         balance, held, postings, revision, opened_at, updated_at)
       select 'acme', 'w', 'a' || n, 'EUR', 2, 2, 'allowed', 'asset', 'open', 5, 0, 1, n, '', ''
       from generate_series(0, ${ACCOUNTS - 1}) n`,
    )
    const day = `to_char(date '2016-01-01' + (n * 7919 % 3650), 'YYYY-MM-DD')`
    await pool.query(
      `insert into ${tableOf(entries)} (org, wallet, revision, position, id, kind, effective_on, description, tags,
         accounts, postings, posted_by, posted_at)
       select 'acme', 'w', n, n, 'e' || n, 'journal', ${day}, 'Entry ' || n, '[]', '[]', jsonb_build_array(
         jsonb_build_object('account', 'a' || n % ${ACCOUNTS}, 'currency', 'EUR', 'amount', n::text),
         jsonb_build_object('account', 'external:x', 'currency', 'EUR', 'amount', (-n)::text)), 'mira', ''
       from generate_series(1, ${ENTRIES}) n`,
    )
    for (const [line, account, sign] of [
      [0, `'a' || n % ${ACCOUNTS}`, ''],
      [1, `'external:x'`, '-'],
    ] as const) {
      await pool.query(
        `insert into ${tableOf(postings)} (org, wallet, account, currency, revision, line, position, entry, external,
           amount, effective_on, posted_at)
         select 'acme', 'w', ${account}, 'EUR', n, ${line}, n, 'e' || n, ${line === 1}, ${sign}n, ${day}, ''
         from generate_series(1, ${ENTRIES}) n`,
      )
    }
    await pool.query(`vacuum analyze ${tableOf(entries)}, ${tableOf(postings)}, ${tableOf(balances)}`)
    await world.move(BigInt(ENTRIES))
  })
  after(() => world?.close())

  async function streamed(query: string) {
    rowsOf = []
    const answer = await world.call('acme', `/kwlt/books?wallet=w&${query}`)
    expect(answer.status, JSON.stringify(answer)).to.equal(200)
    return (await answer.bytes!.open())!
  }

  const account = 'account=a1&currency=EUR'
  for (const [query, marks, lines] of [
    ['format=hledger', /^ {4}; kogi: e/gm, ENTRIES],
    ['format=ledger', /^ {4}; kogi: e/gm, ENTRIES],
    ['format=beancount', /^ {2}kogi-entry: /gm, ENTRIES],
    ['format=csv', /^e\d+,.*,external:x,/gm, ENTRIES],
    [`format=csv&${account}`, /^\d{4}-.*,EUR,e/gm, 'of the account'],
    [`format=camt&${account}`, /<Ntry>/g, 'of the account'],
    [`format=ofx&${account}`, /<STMTTRN>/g, 'of the account'],
  ] as const) {
    it(`hold one page in memory, whatever there is: ${query}`, async () => {
      const wanted =
        lines === ENTRIES ? ENTRIES : Array.from({ length: ENTRIES }, (_, n) => n + 1).filter(isOfA1).length
      let found = 0
      let rest = ''
      for await (const piece of await streamed(query)) {
        expect(piece.length, 'bytes that are handed over at once').to.be.below(1 << 17)
        const text = rest + String(Buffer.from(piece))
        const end = query.includes('camt') ? text.lastIndexOf('</Ntry>') + 1 : text.lastIndexOf('\n') + 1
        found += [...text.slice(0, end).matchAll(marks)].length
        rest = text.slice(end)
      }
      found += [...rest.matchAll(marks)].length
      expect(found).to.equal(wanted)
      expect(Math.max(...rowsOf), 'rows that are in memory at once').to.be.at.most(PAGE)
    })
  }

  it('read on only as their reader takes what was read', async () => {
    const stream = (await streamed('format=hledger'))[Symbol.asyncIterator]()
    await stream.next()
    await new Promise(resolve => setTimeout(resolve, 200))
    const rows = rowsOf.reduce((sum, one) => sum + one, 0)
    expect(rows, 'rows that were read for a reader that waits').to.be.below(ENTRIES / 4)
    await stream.return!()
    const before = rowsOf.length
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(rowsOf.length - before, 'statements after the reader has left').to.equal(0)
  })

  it('find each page by an index', async () => {
    for await (const _ of await streamed('format=csv'));
    const { text, values } = last!
    const { rows } = await world.pool.query(`explain (analyze, format json) ${text}`, values)
    const plan = JSON.stringify(rows[0]['QUERY PLAN'])
    expect(plan).to.match(/"Index Name":"entries_v\d+_by_org_wallet_effe/)
    expect(plan).not.to.include('"Node Type":"Sort"')
  })

  it('draw a PDF before they answer: its pages are no work for later', async () => {
    const stream = await streamed('format=pdf&account=a1&currency=EUR&to=2018-01-01')
    const before = rowsOf.length
    let size = 0
    for await (const piece of stream) size += piece.length
    expect(size).to.be.above(10_000)
    expect(rowsOf.length).to.equal(before)
  })

  it('are empty for an organization that has none', async () => {
    for (const format of ['hledger', 'ledger', 'beancount', 'csv']) {
      const { status, bytes } = await world.call('empty', `/kwlt/books?format=${format}`)
      expect(status, format).to.equal(200)
      let text = ''
      for await (const piece of (await bytes!.open())!) text += Buffer.from(piece)
      expect(text, format).not.to.match(/^\d{4}-|undefined/m)
      expect(text.trim(), format).not.to.equal('')
    }
  })

  it('are made in a place for reads', async () => {
    const { bytes } = await world.call('acme', '/kwlt/books?wallet=w&format=csv')
    expect(bytes).to.include({ isRead: true })
  })

  it('say no before their first byte, and not in the middle', async () => {
    for (const [query, code] of [
      ['format=camt', 'export_impossible'],
      [`format=pdf&account=external:x&currency=EUR`, 'export_impossible'],
      ['format=csv&account=nowhere&currency=EUR', 'not_found'],
      ['format=hledger&account=a1', 'invalid_parameter'],
    ]) {
      expect((await world.call('acme', `/kwlt/books?wallet=w&${query}`)).code, query).to.equal(code)
    }
    expect((await world.call('acme', '/kwlt/books?wallet=other&format=csv')).code).to.equal('not_found')
  })
})

const isOfA1 = (n: number) => n % ACCOUNTS === 1
