// A projector that is killed: `victim.ts <event store> <database> <lease in ms> <events per batch>`. It says `batch`
// after each batch.
import { codec, domainStreamPrefixes, projections } from '../../../infra/catalogue.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { silentLog } from '../../../infra/log.ts'
import { createPool } from '../../../infra/postgres.ts'
import { sessionNameOf } from '../../../projections/ownership/leases.ts'
import { Runner } from '../../../projections/runner/runner.ts'

const [eventStore, database, leaseMs, size] = process.argv.slice(2)
const id = `victim-${process.pid}`
new Runner({
  projections,
  events: eventLog({ url: eventStore!, prefixes: domainStreamPrefixes }),
  pool: createPool({ url: database!, name: 'read', applicationName: sessionNameOf(id), log: silentLog }),
  decode: codec.decode,
  log: silentLog,
  id,
  leaseMs: Number(leaseMs),
  batch: { min: Number(size), max: Number(size), targetMs: 50, gathered: 2 * Number(size) },
  onBatch: () => process.stdout.write('batch\n'),
})
process.on('disconnect', () => process.exit(0))
