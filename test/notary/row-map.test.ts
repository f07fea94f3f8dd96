import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { type Signer, verifierOf } from '../../projections/notary/note.ts'
import { ProofFault } from '../../projections/notary/proof.ts'
import {
  type MapChange,
  NO_ROWS,
  type Page,
  pageBytes,
  pageFrom,
  pathTo,
  placeOf,
  rowDigest,
  updateMaps,
} from '../../projections/notary/row-map.ts'
import { checkRowProof, type ProvedModel, type RowProof, rowProof } from '../../projections/notary/row-proof.ts'
import { type Statement, signStatement } from '../../projections/notary/row-statement.ts'
import { naiveRoot, sha256, utf8 } from './naive-map.ts'

const LONG = process.env.KOGI_LONG === '1'
const ORIGIN = 'example.com/kogi'
const OF_ORG = `${ORIGIN}/org/acme`

const text = z.string().min(1)
const MODEL: ProvedModel = {
  name: 'balances',
  version: 5,
  key: ['org', 'account'],
  row: z.object({ account: text, balance: text, limit: text.optional(), org: text }),
}

const keyOf = (n: number) => ({ account: `a${n}`, org: 'acme' })
const rowOf = (n: number, balance: number) => ({ account: `a${n}`, balance: String(balance), org: 'acme' })

/** A map as it is kept: pages as bytes, by their prefix. */
class Kept {
  readonly pages = new Map<string, Buffer>()
  readonly rows = new Map<number, number>()
  root = NO_ROWS
  count = 0

  async change(changes: ReadonlyMap<number, number | null>): Promise<void> {
    const wanted = [...changes].map(([n, balance]): MapChange => {
      const place = placeOf(keyOf(n))
      if (balance === null) this.rows.delete(n)
      else this.rows.set(n, balance)
      return { place, digest: balance === null ? undefined : rowDigest(JSON.stringify(rowOf(n, balance))) }
    })
    const load = async (ids: readonly { readonly prefix: string }[]) =>
      ids.map(({ prefix }) => this.pages.get(prefix)).map(bytes => bytes && pageFrom(bytes))
    const [updated] = await updateMaps(load, [{ map: 1, changes: wanted }])
    for (const [prefix, page] of updated!.pages) {
      if (page) this.pages.set(prefix, pageBytes(page))
      else this.pages.delete(prefix)
    }
    this.root = updated!.root
    this.count += updated!.grown
  }

  get naive(): Buffer {
    return naiveRoot(
      [...this.rows].map(([n, b]) => ({ key: JSON.stringify(keyOf(n)), row: JSON.stringify(rowOf(n, b)) })),
    )
  }

  proofOf(n: number, signer: Signer): RowProof {
    const pages = new Map([...this.pages].map(([prefix, bytes]): [string, Page] => [prefix, pageFrom(bytes)]))
    const log = { origin: OF_ORG, size: 7, root: sha256(utf8('log')) }
    const of = { model: 'balances', version: 5, rows: this.count, root: this.root, log, position: 99n }
    const balance = this.rows.get(n)
    const row = balance === undefined ? null : rowOf(n, balance)
    const notes = { statement: signStatement(of, [signer]), checkpoint: signCheckpoint(log, [signer]) }
    return rowProof({ key: keyOf(n), row, ...notes }, pathTo(placeOf(keyOf(n)), pages))
  }
}

const signerOf = (): Signer => ({ name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey })

describe('the Merkle map of rows', () => {
  const signer = signerOf()
  const known = [verifierOf(signer)]
  const codeOf = (text: string, verifiers = known) => {
    try {
      checkRowProof(text, verifiers, [MODEL])
      return 'holds'
    } catch (error) {
      return error instanceof ProofFault ? error.code : (error as Error).message
    }
  }

  const batch = fc.array(fc.tuple(fc.nat(120), fc.option(fc.nat(1_000), { freq: 2 })), { maxLength: 40 })

  it('has the root of all its rows after any changes, whatever their order, and proves each row', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async batches => {
        const kept = new Kept()
        for (const some of batches) {
          await kept.change(new Map(some))
          expect(kept.root).to.deep.equal(kept.naive)
          expect(kept.count).to.equal(kept.rows.size)
        }
        const anew = new Kept()
        await anew.change(new Map([...kept.rows].toReversed()))
        expect(anew.root).to.deep.equal(kept.root)
        expect([...anew.pages].toSorted()).to.deep.equal([...kept.pages].toSorted())
        for (const n of [...[...kept.rows.keys()].slice(0, 5), 500, 501]) {
          const { row } = checkRowProof(JSON.stringify(kept.proofOf(n, signer)), known, [MODEL])
          expect(row).to.deep.equal(kept.rows.has(n) ? rowOf(n, kept.rows.get(n)!) : null)
        }
      }),
      { numRuns: LONG ? 1_000 : 40 },
    )
  })

  it(`proves every row and as many absences after ${LONG ? '10,000' : '600'} changes`, async () => {
    const kept = new Kept()
    const changes = LONG ? 10_000 : 600
    for (let n = 0; n < changes; n += 1) {
      const id = (n * 7_919) % Math.ceil(changes / 2)
      await kept.change(new Map([[id, n % 5 === 4 ? null : n]]))
    }
    expect(kept.root).to.deep.equal(kept.naive)
    for (let n = 0; n < changes / (LONG ? 10 : 2); n += 1) {
      expect(codeOf(JSON.stringify(kept.proofOf(n, signer))), String(n)).to.equal('holds')
    }
  })

  describe('of which a proof was changed', () => {
    const kept = new Kept()
    before(() => kept.change(new Map(Array.from({ length: 300 }, (_, n) => [n, n]))))
    const changed = (n: number, change: (proof: RowProof) => object) =>
      codeOf(JSON.stringify(change(structuredClone(kept.proofOf(n, signer)))))
    const answer = (n: number, data: object | undefined) =>
      codeOf(JSON.stringify({ ...(data && { data }), meta: { proof: kept.proofOf(n, signer) } }))
    const absent = Array.from({ length: 50 }, (_, n) => 1_000 + n)
    const withOther = 1_000

    it('names what does not hold', () => {
      expect(changed(3, proof => proof)).to.equal('holds')
      expect(changed(3, proof => ({ ...proof, row: { ...proof.row, balance: '4' } }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, row: { ...proof.row, limit: '4' } }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, row: null }))).to.equal('row_not_absent')
      expect(changed(3, proof => ({ ...proof, row: null, path: [] }))).to.equal('row_not_absent')
      expect(changed(3, proof => ({ ...proof, key: keyOf(4) }))).to.equal('proof_malformed')
      expect(changed(3, proof => ({ ...proof, key: keyOf(4), row: rowOf(4, 4) }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, path: proof.path.slice(1) }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, path: [...proof.path, proof.path[0]!] }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, path: proof.path.toReversed() }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, more: 1 }))).to.equal('proof_malformed')
      for (const n of absent) {
        expect(changed(n, proof => proof)).to.equal('holds')
        expect(changed(n, proof => ({ ...proof, row: rowOf(n, 0) }))).to.be.oneOf([
          'row_not_included',
          'proof_malformed',
        ])
        expect(changed(n, proof => ({ ...proof, key: keyOf(5) }))).to.equal('row_not_absent')
      }
      expect(kept.proofOf(withOther, signer).path.length).to.be.greaterThan(4)
    })

    /** A true path to an empty place of another key, with a statement of these rows. */
    const forged = (key: RowProof['key'], of: Partial<Statement> = {}) => {
      const pages = new Map([...kept.pages].map(([prefix, bytes]): [string, Page] => [prefix, pageFrom(bytes)]))
      const log = of.log ?? { origin: OF_ORG, size: 7, root: sha256(utf8('log')) }
      const statement = { model: 'balances', version: 5, rows: 300, root: kept.root, log, position: 99n, ...of }
      const notes = { statement: signStatement(statement, [signer]), checkpoint: signCheckpoint(log, [signer]) }
      return codeOf(JSON.stringify(rowProof({ key, row: null, ...notes }, pathTo(placeOf(key), pages))))
    }

    it('takes no statement of another organization', () => {
      expect(forged(keyOf(1_000))).to.equal('holds')
      for (const org of ['other', 'acm', 'me', 'acme/org/acme']) {
        expect(forged({ account: 'a3', org })).to.equal('origin_differs')
      }
      const log = { origin: `${ORIGIN}/org/other`, size: 7, root: sha256(utf8('log')) }
      expect(forged(keyOf(1_000), { log })).to.equal('origin_differs')
      expect(forged({ account: 'a3', org: 'other' }, { log })).to.equal('holds')
    })

    it('takes no statement of a log whose name only ends as that of the organization does', () => {
      for (const origin of [`other.example/${OF_ORG}`, 'other.example/org/acme', `${OF_ORG}/org/acme`, '/org/acme']) {
        const log = { origin, size: 7, root: sha256(utf8('log')) }
        expect(forged(keyOf(1_000), { log }), origin).to.equal('origin_differs')
      }
    })

    it('takes no key that rows of the model cannot have', () => {
      const keys = [
        { ...keyOf(3), x: '1' },
        { org: 'acme' },
        { account: 'a3' },
        { ...keyOf(3), account: 3 },
        { ...keyOf(3), account: '' },
        { org: 'acme', balance: '3' },
      ]
      for (const key of keys as RowProof['key'][]) expect(forged(key), JSON.stringify(key)).to.equal('proof_malformed')
    })

    it('takes no statement of a model or a version that is not known', () => {
      expect(forged(keyOf(1_000), { model: 'balance' })).to.equal('model_unknown')
      expect(forged(keyOf(1_000), { version: 4 })).to.equal('model_unknown')
    })

    it('compares the position of an answer with that of the statement', () => {
      const as = (asOf: unknown) =>
        codeOf(JSON.stringify({ data: rowOf(3, 3), meta: { as_of: asOf, proof: kept.proofOf(3, signer) } }))
      expect(as('99')).to.equal('holds')
      for (const asOf of ['98', '100', 99]) expect(as(asOf)).to.equal('row_differs')
    })

    it('takes no row that is there for the neighbour of one that is not', () => {
      for (const n of [3, 4, 5, 6]) {
        const place = Buffer.from(placeOf(keyOf(n)), 'hex')
        const digest = rowDigest(JSON.stringify(rowOf(n, n))).toString('base64')
        for (const bit of [1, 128]) {
          const beside = Buffer.from(place)
          beside[31]! ^= bit
          const other = { place: beside.toString('base64'), digest }
          expect(changed(n, proof => ({ ...proof, row: null, other }))).to.equal('row_not_absent')
        }
        const other = { place: place.toString('base64'), digest }
        expect(changed(n, proof => ({ ...proof, row: null, other }))).to.equal('row_not_absent')
      }
    })

    it('knows statements and checkpoints of others, and of other logs', () => {
      const other = signerOf()
      expect(codeOf(JSON.stringify(kept.proofOf(3, other)))).to.equal('statement_invalid')
      const log = { origin: OF_ORG, size: 8, root: sha256(utf8('log')) }
      expect(changed(3, proof => ({ ...proof, checkpoint: signCheckpoint(log, [signer]) }))).to.equal(
        'statement_detached',
      )
      expect(changed(3, proof => ({ ...proof, checkpoint: kept.proofOf(3, other).checkpoint }))).to.equal(
        'checkpoint_invalid',
      )
      const root = sha256(utf8('rows'))
      const of = { model: 'balances', version: 5, rows: 300, root, log: { ...log, size: 7 }, position: 99n }
      expect(changed(3, proof => ({ ...proof, statement: signStatement(of, [signer]) }))).to.equal('row_not_included')
      expect(changed(3, proof => ({ ...proof, statement: proof.checkpoint }))).to.equal('statement_invalid')
      expect(changed(3, proof => ({ ...proof, checkpoint: proof.statement }))).to.equal('checkpoint_invalid')
    })

    it('compares the row with what an answer shows', () => {
      expect(answer(3, rowOf(3, 3))).to.equal('holds')
      expect(answer(3, { ...rowOf(3, 3), available: '2', revision: '9' })).to.equal('holds')
      expect(answer(3, rowOf(3, 4))).to.equal('row_differs')
      expect(answer(3, { ...rowOf(3, 3), limit: '100' })).to.equal('row_differs')
      expect(answer(3, {})).to.equal('row_differs')
      expect(answer(3, undefined)).to.equal('row_differs')
      expect(answer(1_000, undefined)).to.equal('holds')
      expect(answer(1_000, rowOf(1_000, 0))).to.equal('row_differs')
    })

    it('refuses every change of a single character', () => {
      const codes = new Set<string>()
      for (const n of [3, withOther]) {
        const text = JSON.stringify(kept.proofOf(n, signer))
        const step = LONG ? 1 : 3
        for (let at = 0; at < text.length; at += step) {
          const character = text[at] === 'A' ? 'B' : 'A'
          const code = codeOf(text.slice(0, at) + character + text.slice(at + 1))
          expect(code, `${n} at ${at}: ${text.slice(at - 9, at)}`).to.not.equal('holds')
          codes.add(code)
        }
      }
      for (const code of codes) {
        expect(code).to.be.oneOf([
          'proof_malformed',
          'statement_invalid',
          'checkpoint_invalid',
          'row_not_included',
          'row_not_absent',
          'origin_differs',
        ])
      }
    })
  })
})
