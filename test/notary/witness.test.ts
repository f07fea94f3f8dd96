import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { cosignedNotes, lastCosigned } from '../../infra/notary/cosigned.ts'
import { openCheckpoint, originOf, signCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { cosign, cosignaturesOf, witnessFrom, witnessOf, witnessText } from '../../projections/notary/cosignature.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { consistencyRanges, leafHash, RangeHashes, Tree } from '../../projections/notary/merkle.ts'
import { NoteFault, signNote, type Verifier, verifierFrom, verifierOf } from '../../projections/notary/note.ts'
import { startWitness, witnessSigner } from '../support/witness.ts'
import { ORIGIN, openLog, signer, startNotary, type TestLog, type Written } from './support.ts'

const written = (count: number, from = 0): Written[] =>
  Array.from({ length: count }, (_, n) => ({
    org: `org-${(from + n) % 2}`,
    thing: `t${n % 3}`,
    data: { n: `${from + n}` },
  }))

describe('cosignatures', () => {
  const key = signer()
  const leaves = Array.from({ length: 9 }, (_, n) => leafHash(`leaf ${n}`))
  const noteOf = (size: number, by = key, origin = ORIGIN) => {
    const tree = new Tree()
    for (const leaf of leaves.slice(0, size)) tree.add(leaf)
    return signCheckpoint({ origin, size, root: tree.root }, [by])
  }

  it('are Ed25519 over a header, the time and the checkpoint, as C2SP tlog-cosignature has them', () => {
    const witness = witnessSigner('witness.example.com/w1')
    const note = noteOf(3)
    const line = cosign(note, witness, 1_679_315_147)
    const [, name, base64] = /^— (\S+) (\S+)\n$/.exec(line)!
    const bytes = Buffer.from(base64!, 'base64')
    expect(name).to.equal('witness.example.com/w1')
    expect(bytes.length).to.equal(4 + 8 + 64)
    expect(bytes.readBigUInt64BE(4)).to.equal(1_679_315_147n)
    const body = note.slice(0, note.indexOf('\n\n') + 1)
    const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${body}`)
    expect(verify(null, message, createPublicKey(witness.privateKey), bytes.subarray(12))).to.equal(true)
    const known = witnessOf(witness)
    expect(known.id.equals(bytes.subarray(0, 4))).to.equal(true)
    expect(known.id.equals(verifierOf(witness).id), 'a key of another type has another id').to.equal(false)
    expect(witnessFrom(witnessText(known)).id.equals(known.id)).to.equal(true)
    expect(() => verifierFrom(witnessText(known))).to.throw('no key of a log')
    expect(cosignaturesOf(note + line, [known])).to.deep.equal([{ name, at: 1_679_315_147n, line }])
    expect(openCheckpoint(note + line, [verifierOf(key)]).size, 'it is still a checkpoint').to.equal(3)
  })

  it('count once for each known witness, and a false one of theirs is refused', () => {
    const [one, two] = [witnessSigner('w.example/1'), witnessSigner('w.example/2')]
    const note = noteOf(3)
    const lines = [one, one, two].map((witness, n) => cosign(note, witness, 100 + n))
    const names = (known: readonly Verifier[]) => cosignaturesOf(note + lines.join(''), known).map(({ name }) => name)
    expect(names([witnessOf(one), witnessOf(two)])).to.deep.equal(['w.example/1', 'w.example/2'])
    expect(names([witnessOf(two)])).to.deep.equal(['w.example/2'])
    expect(names([witnessOf(witnessSigner('w.example/1'))])).to.deep.equal([])
    const moved = noteOf(4) + lines[0]
    expect(() => cosignaturesOf(moved, [witnessOf(one)])).to.throw(NoteFault)
    expect(cosignaturesOf(moved, [witnessOf(two)])).to.deep.equal([])
  })

  describe('of the witness that comes with Kogi', () => {
    let folder: string
    let witness: Awaited<ReturnType<typeof startWitness>>
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'kogi-witness-'))
      witness = await startWitness({ signer: witnessSigner(), logs: [verifierOf(key)], folder })
    })
    after(async () => {
      await witness?.close()
      await rm(folder, { recursive: true, force: true })
    })

    const proofOf = (old: number, size: number) => {
      const ranges = new RangeHashes(consistencyRanges(old, size))
      for (const leaf of leaves.slice(0, size)) ranges.add(leaf)
      return ranges.hashes.map(hash => `${hash.toString('base64')}\n`).join('')
    }
    const ask = async (body: string) => {
      const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body })
      return [response.status, await response.text(), response.headers.get('content-type')] as const
    }
    const add = (old: number, note: string, proof = proofOf(old, statedHead(note).size)) =>
      ask(`old ${old}\n${proof}\n${note}`)
    const statusOf = async (...args: Parameters<typeof add>) => (await add(...args))[0]

    it('are given by the rules of C2SP tlog-witness', async () => {
      const first = await add(0, noteOf(2))
      expect(first[0]).to.equal(200)
      expect(cosignaturesOf(noteOf(2) + first[1], [witness.key])).to.have.length(1)
      expect(await statusOf(2, noteOf(5)), 'it goes on').to.equal(200)
      expect(await statusOf(5, noteOf(5)), 'the same again').to.equal(200)
      expect(await add(2, noteOf(6)), 'another one came before').to.deep.equal([409, '5\n', 'text/x.tlog.size'])
      expect(await statusOf(5, noteOf(7), proofOf(4, 7)), 'another proof').to.equal(422)
      const tree = new Tree()
      for (let n = 0; n < 5; n += 1) tree.add(leafHash(`other ${n}`))
      const forked = signCheckpoint({ origin: ORIGIN, size: 5, root: tree.root }, [key])
      expect(await statusOf(5, forked, ''), 'another log of the same size').to.equal(422)
      expect(await statusOf(6, noteOf(5), ''), 'older than what it is to go on from').to.equal(400)
      expect(await statusOf(5, noteOf(7, signer())), 'by another key').to.equal(403)
      expect(await statusOf(0, noteOf(7, key, 'other.example/log'), ''), 'an unknown log').to.equal(404)
      expect(await statusOf(0, noteOf(3, key, originOf(ORIGIN, 'acme')), ''), 'a part of a known log').to.equal(200)
      for (const origin of [originOf(originOf(ORIGIN, 'x'), 'acme'), originOf(ORIGIN, '')]) {
        expect(await statusOf(0, noteOf(3, key, origin), ''), `no part: ${origin}`).to.equal(404)
      }
      for (const body of [
        '',
        'old 5\n',
        `old x\n\n${noteOf(7)}`,
        `old 05\n\n${noteOf(7)}`,
        `old 5\nxx\n\n${noteOf(7)}`,
      ]) {
        expect((await ask(body))[0], body).to.equal(400)
      }
      expect(await statusOf(5, noteOf(9)), 'nothing of all that was kept').to.equal(200)
    })

    it('goes on after a restart, and shows its last checkpoint', async () => {
      await witness.close()
      witness = await startWitness({ signer: witnessSigner(), logs: [verifierOf(key)], folder })
      expect((await add(0, noteOf(9), ''))[1]).to.equal('9\n')
      const { createHash } = await import('node:crypto')
      const hash = createHash('sha256').update(ORIGIN).digest('hex')
      const shown = await (await fetch(`${witness.url}/${hash}/checkpoint`)).text()
      expect(openCheckpoint(shown, [verifierOf(key)]).size).to.equal(9)
      expect((await fetch(`${witness.url}/${'0'.repeat(64)}/checkpoint`)).status).to.equal(404)
    })
  })
})

describe('a notary with witnesses', () => {
  const key = signer()
  const logs: TestLog[] = []
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-witnessed-'))
  })
  after(async () => {
    await Promise.all(logs.map(log => log.close()))
    await rm(folder, { recursive: true, force: true })
  })

  const open = async (events: readonly Written[]) => {
    const log = await openLog(events)
    logs.push(log)
    return log
  }
  /** The proofs of a log by its events alone. */
  const proofsOf = (log: TestLog) => async (tree: string, old: number, size: number) => {
    const ranges = new RangeHashes(consistencyRanges(old, size))
    const own = (await log.events()).filter(({ metadata }) => tree === '' || metadata.org === tree)
    for (const event of own.slice(0, size)) ranges.add(leafHash(leafOf(event)))
    return ranges.hashes
  }
  const startWitnessed = (log: TestLog, places: readonly { key: Verifier; url: string }[]) =>
    startNotary(log, {
      signers: [key],
      witnesses: {
        places,
        deps: { proofOf: proofsOf(log), onCosigned: cosignedNotes(log.store, async () => {}), roundMs: 10 },
      },
    })
  const untilCosigned = async (log: TestLog, tree: string, size: number, by: readonly Verifier[]) => {
    for (;;) {
      const note = await lastCosigned(log.store, tree)
      const isThere = note !== undefined && statedHead(note).size === size
      if (isThere && cosignaturesOf(note, by).length === by.length) return note
      await sleep(10)
    }
  }

  it('has the log and every org cosigned by all of them, and goes on after a restart', async () => {
    const log = await open(written(5))
    const [one, two] = await Promise.all(
      ['w.example/1', 'w.example/2'].map(name =>
        startWitness({ signer: witnessSigner(name), logs: [verifierOf(key)], folder: path.join(folder, name) }),
      ),
    )
    const both = [one!.key, two!.key]
    const places = [one!, two!].map(({ key, url }) => ({ key, url: `${url}/` }))
    const running = startWitnessed(log, places)
    await running.settle(5)
    const note = await untilCosigned(log, '', 5, both)
    expect(openCheckpoint(note, [verifierOf(key)]).origin).to.equal(ORIGIN)
    await untilCosigned(log, 'org-0', 3, both)
    await untilCosigned(log, 'org-1', 2, both)
    await running.close()
    await log.append(written(4, 5))
    const again = startWitnessed(log, places)
    await again.settle(9)
    await untilCosigned(log, '', 9, both)
    const org = await untilCosigned(log, 'org-1', 4, both)
    expect(openCheckpoint(org, [verifierOf(key)]).origin).to.equal(originOf(ORIGIN, 'org-1'))
    expect(org.split('\n').filter(line => line.startsWith('— w.example/'))).to.have.length(2)
    await again.close()
    await Promise.all([one!.close(), two!.close()])
  })

  it('seals all the same while one is away, and has it cosign once it is back', async () => {
    const log = await open(written(3))
    const options = { signer: witnessSigner('w.example/3'), logs: [verifierOf(key)], folder: path.join(folder, 'away') }
    const witness = await startWitness(options)
    witness.state.status = 500
    const running = startWitnessed(log, [witness])
    expect(await running.settle(3)).to.equal(undefined)
    while (running.notary.witnesses[0]!.trouble === null) await sleep(5)
    expect(running.notary.witnesses).to.deep.equal([{ name: 'w.example/3', trouble: 'it answered 500' }])
    await log.append(written(2, 3))
    expect(await running.settle(5)).to.equal(undefined)
    expect(await lastCosigned(log.store, '')).to.equal(undefined)
    witness.state.status = undefined
    await untilCosigned(log, '', 5, [witness.key])
    await running.close()
    await witness.close()
  }).timeout(60_000)

  it('says loudly that a witness has seen more than the log has, or another log', async () => {
    const signerOf = witnessSigner('w.example/4')
    const options = { signer: signerOf, logs: [verifierOf(key)], folder: path.join(folder, 'doubts') }
    const witness = await startWitness(options)
    const whole = await open(written(6))
    const first = startWitnessed(whole, [witness])
    await first.settle(6)
    await untilCosigned(whole, '', 6, [witness.key])
    await first.close()
    const troubleOf = async (events: readonly Written[]) => {
      const running = startWitnessed(await open(events), [witness])
      await running.settle(events.length)
      while (running.notary.witnesses[0]!.trouble === null) await sleep(5)
      const [{ trouble } = { trouble: null }] = running.notary.witnesses
      await running.close()
      return trouble
    }
    expect(await troubleOf(written(4))).to.contain('it has cosigned 6 events, and the log has 4')
    expect(await troubleOf(written(7, 100))).to.contain('does not go on from what it has seen')
    await witness.close()
  })

  it('takes no cosignature by another key than the one that is set', async () => {
    const log = await open(written(2))
    const name = 'w.example/5'
    const witness = await startWitness({
      signer: witnessSigner(name),
      logs: [verifierOf(key)],
      folder: path.join(folder, 'other'),
    })
    const other = witnessOf({ name, privateKey: generateKeyPairSync('ed25519').privateKey })
    const running = startWitnessed(log, [{ key: other, url: witness.url }])
    while (running.notary.witnesses[0]?.trouble == null) await sleep(5)
    expect(running.notary.witnesses[0]!.trouble).to.contain('another key')
    expect(await lastCosigned(log.store, '')).to.equal(undefined)
    await running.close()
    await witness.close()
    expect(() => witnessFrom(signNote('x\n', [key]))).to.throw(TypeError)
  })
})
