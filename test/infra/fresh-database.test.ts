import { expect } from 'chai'
import pg from 'pg'
import { freshDatabase, type Template } from '../support/postgres.ts'

async function query(connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe('the databases of tests', () => {
  it('are apart from one another, and copies of a template that is prepared once', async () => {
    let prepared = 0
    const template: Template = {
      name: 'numbers',
      prepare: async url => {
        prepared++
        await query(url, 'CREATE TABLE numbers AS SELECT 1 AS n')
      },
    }
    const [first, second] = await Promise.all([freshDatabase(template), freshDatabase(template), freshDatabase()])
    await query(first!, 'INSERT INTO numbers VALUES (2)')
    expect(await query(second!, 'SELECT * FROM numbers')).to.deep.equal([{ n: 1 }])
    expect(prepared).to.equal(1)
  })
})
