/** Vectors of others: Merkle proofs of transparency-dev, signed notes of Go, canonical JSON of RFC 8785's author. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { isConsistent, isIncluded, leafHash, Tree } from '../../projections/notary/merkle.ts'
import { NoteFault, openNote, verifierFrom } from '../../projections/notary/note.ts'
import { dataSet } from '../acceptance/data-sets.ts'

const bytes = (text: string | null) => Buffer.from(text ?? '', 'base64')
const hashes = (proof: readonly string[] | null) => (proof ?? []).map(bytes)

describe('vectors of Merkle proofs', function () {
  const set = dataSet(this, 'vectors_merkle', 'inclusion.jsonl', 'consistency.jsonl', 'tree.json')
  const cases = (file: string) =>
    set
      .text(file)
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))

  it('are judged alike: entries', () => {
    for (const { id, leafIdx: index, treeSize: size, root, leafHash: leaf, proof, wantErr } of cases(
      'inclusion.jsonl',
    )) {
      expect(isIncluded({ index, size, root: bytes(root) }, bytes(leaf), hashes(proof)), id).to.equal(!wantErr)
    }
  })
  it('are judged alike: logs that go on', () => {
    for (const { id, size1, size2, root1, root2, proof, wantErr } of cases('consistency.jsonl')) {
      const [old, next] = [
        { size: size1, root: bytes(root1) },
        { size: size2, root: bytes(root2) },
      ]
      expect(isConsistent(old, next, hashes(proof)), id).to.equal(!wantErr)
    }
  })
  it('have the same roots', () => {
    const { leaves_hex: leaves, roots_hex_by_size: roots } = JSON.parse(set.text('tree.json'))
    const tree = new Tree()
    expect(tree.root.toString('hex')).to.equal(roots[0])
    for (const [n, leaf] of leaves.entries()) {
      tree.add(leafHash(Buffer.from(leaf, 'hex')))
      expect(tree.root.toString('hex')).to.equal(roots[n + 1])
    }
  })
})

describe('vectors of signed notes', function () {
  const set = dataSet(this, 'vectors_note', 'notes.jsonl', 'keys.jsonl')
  const cases = (file: string) =>
    set
      .text(file)
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))

  it('are judged alike: keys', () => {
    for (const { key, valid } of cases('keys.jsonl')) {
      if (valid) verifierFrom(key)
      else expect(() => verifierFrom(key), key).to.throw(TypeError)
    }
  })
  it('are judged alike: notes', () => {
    for (const { case: name, message, known_keys, want, verified, unverified } of cases('notes.jsonl')) {
      const opened = () => openNote(message, known_keys.map(verifierFrom))
      if (want === 'ok') {
        const note = opened()
        expect([note.verified.length, note.unverified.length], name).to.deep.equal([verified, unverified])
      } else expect(opened, name).to.throw(NoteFault).with.property('kind', want)
    }
  })
})

describe('vectors of canonical JSON', function () {
  const set = dataSet(this, 'vectors_jcs', 'numbers.csv')

  it('have the same bytes', async () => {
    const files = await readdir(set.file('input'))
    expect(files).to.not.be.empty
    for (const file of files) {
      const value = JSON.parse(await readFile(set.file(path.join('input', file)), 'utf8'))
      expect(canonicalJson(value), file).to.equal(await readFile(set.file(path.join('output', file)), 'utf8'))
    }
  })
  it('write numbers alike', () => {
    const view = new DataView(new ArrayBuffer(8))
    for (const line of set.text('numbers.csv').trimEnd().split('\n')) {
      const [bits, text] = line.split(',') as [string, string]
      view.setBigUint64(0, BigInt(`0x${bits}`))
      expect(canonicalJson(view.getFloat64(0)), bits).to.equal(text)
    }
  })
})
