import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { exportOptions } from '../../infra/exports/options.ts'
import { cosignedNotes, lastCosigned } from '../../infra/notary/cosigned.ts'
import { signersOf } from '../../infra/notary/keys.ts'
import { originOf, signCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { cosign, cosignaturesOf, witnessOf } from '../../projections/notary/cosignature.ts'
import type { Signer } from '../../projections/notary/note.ts'
import { configFrom } from '../../scripts/serve.ts'
import { witnessSigner } from '../support/witness.ts'
import { ORIGIN, openLog, signer, type TestLog } from './support.ts'

describe('what is cosigned', () => {
  const key = signer()
  let log: TestLog
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-cosigned-'))
    log = await openLog()
  })
  after(async () => {
    await log?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('keeps what is cosigned of a log of a new name, though it has fewer events', async () => {
    const keep = cosignedNotes(log.store, async () => {})
    const noteOf = (origin: string, size: number) => signCheckpoint({ origin, size, root: Buffer.alloc(32) }, [key])
    const witness = witnessSigner('w.example/6')
    const kept = async (note: string) => {
      const [cosignature] = cosignaturesOf(note + cosign(note, witness, 1), [witnessOf(witness)])
      await keep('org-0', note, cosignature!)
      return statedHead((await lastCosigned(log.store, 'org-0'))!)
    }
    expect(await kept(noteOf('old.example/org/org-0', 9))).to.include({ size: 9 })
    expect(await kept(noteOf('old.example/org/org-0', 8)), 'an earlier one').to.include({ size: 9 })
    expect(await kept(noteOf('new.example/org/org-0', 2))).to.include({ origin: 'new.example/org/org-0', size: 2 })
  })

  it('puts into exports what is cosigned of the log that they are of, by the keys that it has now', async () => {
    const config = { ...configFrom({ data: folder }), notaryOrigin: ORIGIN }
    const [own] = await signersOf(config)
    const keep = cosignedNotes(log.store, async () => {})
    const exported = async (org: string, by: Signer, origin = originOf(ORIGIN, org)) => {
      const note = signCheckpoint({ origin, size: 1, root: Buffer.alloc(32) }, [by])
      const line = cosign(note, witnessSigner('w.example/7'), 1)
      await keep(org, note, { name: 'w.example/7', at: 1n, line })
      const options = await exportOptions({ config, eventStoreUrl: log.url, log: log.log, store: log.store }, org)
      return options.cosigned === note + line
    }
    expect(await exported('own', own!)).to.equal(true)
    expect(await exported('key', key), 'by another key').to.equal(false)
    expect(await exported('name', own!, originOf('old.example', 'name')), 'of another name').to.equal(false)
  })
})
