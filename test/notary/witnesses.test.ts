import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { lockFolder } from '../../infra/embedded/event-store/care/lock.ts'
import { Witness } from '../../infra/notary/witnesses.ts'
import { originOf, signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { cosign, witnessOf } from '../../projections/notary/cosignature.ts'
import { verifierOf, verifierText } from '../../projections/notary/note.ts'
import { witnessCommand } from '../../scripts/witness.ts'
import { witnessSigner } from '../support/witness.ts'
import { ORIGIN, signer } from './support.ts'

const OTHER = /does not go on/

describe('a witness that does not cosign every tree', () => {
  const key = signer()
  const own = witnessSigner()
  const stop = new AbortController()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const note = body.slice(body.indexOf('\n\n') + 2)
    const tree = note.split('\n')[0]!.split('/org/')[1] ?? ''
    const answer = answers[tree]
    if (typeof answer === 'function') answer(response)
    else if (answer === undefined) response.end(cosign(note, own, 1))
    else response.writeHead(answer).end()
  })
  let answers: Record<string, number | ((response: ServerResponse) => void)> = {}
  let url: string
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    stop.abort()
    server.closeAllConnections()
    server.close()
  })

  const noteOf = (tree: string, size = 1) =>
    signCheckpoint({ origin: tree === '' ? ORIGIN : originOf(ORIGIN, tree), size, root: Buffer.alloc(32) }, [key])
  function start(proofOf: (tree: string) => Promise<[]> = async () => []) {
    const cosigned: string[] = []
    const said: [string, boolean][] = []
    const deps = {
      proofOf,
      onCosigned: async (tree: string) => {
        cosigned.push(tree)
      },
      onTrouble: (_: string, reason: string, isAlarm: boolean) => {
        said.push([reason, isAlarm])
      },
    }
    const witness = new Witness({ key: witnessOf(own), url }, { ...deps, signal: stop.signal, roundMs: 10 })
    const until = async (isDone: () => boolean) => {
      while (!isDone()) await sleep(5)
    }
    return { witness, cosigned, said, until }
  }

  it('goes on saying so of one tree while it cosigns the others', async () => {
    answers = { south: 422 }
    const { witness, cosigned, said, until } = start()
    for (const tree of ['', 'south', 'north']) witness.give(tree, noteOf(tree))
    await until(() => cosigned.includes('north'))
    witness.give('', noteOf('', 2))
    await until(() => cosigned.length === 3)
    expect(witness.trouble?.message).to.match(OTHER).and.to.contain('south')
    expect(said).to.have.length(1)
    expect(said[0]![1], 'loudly').to.equal(true)
    answers = {}
    await until(() => cosigned.includes('south'))
    await until(() => witness.trouble === undefined)
  })

  it('is asked about the others while it fails for some, or these have no proof', async () => {
    answers = Object.fromEntries(['a', 'b', 'c', 'd'].map((tree, n) => [tree, n % 2 ? 429 : 500]))
    const { witness, cosigned, said, until } = start(async tree => {
      if (tree !== 'e') return []
      throw new Error('no tiles')
    })
    for (const tree of ['a', 'b', 'e', 'c', 'd', 'north', '']) witness.give(tree, noteOf(tree))
    await until(() => cosigned.length === 2)
    expect(cosigned).to.have.members(['north', ''])
    await until(() => said.length === 3)
    expect(said.map(([reason]) => reason.replace(/.*: /, ''))).to.have.members([
      'it answered 500',
      'it answered 429',
      'no tiles',
    ])
    answers = {}
    await until(() => cosigned.length === 6)
  }).timeout(60_000)

  it('is read no further than an answer can be', async () => {
    let isClosed = false
    answers = {
      '': response => {
        response.on('close', () => {
          isClosed = true
        })
        const more = () => {
          if (!isClosed) response.write('x'.repeat(60_000), () => setTimeout(more, 1))
        }
        more()
      },
    }
    const { witness, until } = start()
    witness.give('', noteOf(''))
    await until(() => witness.trouble !== undefined && isClosed)
    expect(witness.trouble!.message).to.equal('This is no signed note.')
  })

  it('shares its state with no other process', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-witness-lock-'))
    const pem = path.join(folder, 'key.pem')
    await writeFile(pem, own.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const lock = await lockFolder(folder)
    try {
      const given = ['--name', own.name, '--key', pem, '--state', folder, '--log', verifierText(verifierOf(key))]
      const refused = await witnessCommand()
        .parseAsync(given, { from: 'user' })
        .then(
          () => 'taken',
          (error: Error) => error.message,
        )
      expect(refused).to.contain('is in use by process')
    } finally {
      lock.release()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
