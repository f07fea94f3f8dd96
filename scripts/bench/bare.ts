/** The least that does the same work, to measure the APIs against: `bare.ts commands`, `bare.ts reads <table>`. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import express from 'express'
import pg from 'pg'

const app = express()
if (process.argv[2] === 'commands') {
  const client = EventStoreDBClient.connectionString(process.env.KOGI_EVENTSTORE_URL!)
  app.post('/streams/:id', express.json(), async (request, response) => {
    const event = jsonEvent({ type: 'Posted', data: request.body })
    const { nextExpectedRevision } = await client.appendToStream(`bare-${request.params.id}`, event)
    response.status(201).json({ revision: String(nextExpectedRevision) })
  })
  app.post('/batches/:id', express.json({ limit: '16mb' }), async (request, response) => {
    const events = (request.body as object[]).map(data => jsonEvent({ type: 'Posted', data: data as never }))
    const { nextExpectedRevision } = await client.appendToStream(`bare-${request.params.id}`, events)
    response.status(201).json({ revision: String(nextExpectedRevision) })
  })
} else {
  const pool = new pg.Pool({ connectionString: process.env.KOGI_DATABASE_URL, max: 10 })
  app.get('/items/:id', async (request, response) => {
    const query = { name: 'item', text: `select * from ${process.argv[3]} where org = $1 and id = $2` }
    const { rows } = await pool.query({ ...query, values: ['bench', request.params.id] })
    response.json({ data: rows[0] })
  })
}
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  console.log(`ready http://127.0.0.1:${port}`)
})
