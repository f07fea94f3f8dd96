/** Sealed fields that are opened for a recipient: those of persons, and no credentials. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import type { z } from 'zod'
import { isMade } from '../../commands/secrets.ts'
import { plainOf, sealed } from '../../domain/kernel/schema.ts'
import { aggregates } from '../../infra/catalogue.ts'
import { EVENTS } from '../../read-api/audit/bundle.ts'
import { isCredential } from '../../read-api/audit/credentials.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { openedFields } from '../../read-api/audit/opened.ts'
import { inFolder } from './support.ts'

type Shape = Readonly<Record<string, z.ZodType>>
const [one, two, three] = ['1', '2', '3'].map(n => `${n.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
]

describe('sealed fields, opened for a recipient', () => {
  it('are all but credentials, which are not even unsealed', () =>
    inFolder(async folder => {
      const envelope = (key: string) => ({ key, nonce: 'A'.repeat(16), text: 'A'.repeat(22) })
      const line = (type: string, data: object) => ({ position: '1', id: 'e', stream: 's', type, data })
      const lines = [
        line('WebhookRegistered', { url: 'https://x.example', secret: envelope(one) }),
        line('WalletOpened', { holder: envelope(two) }),
        line('WebhookSecretRotated', { secret: envelope(three) }),
      ]
      await writeFile(path.join(folder, EVENTS), lines.map(each => `${JSON.stringify(each)}\n`).join(''))
      const asked: string[] = []
      const unseal = async (_: string, envelopes: readonly { readonly key: string }[]) => {
        asked.push(...envelopes.map(({ key }) => key))
        return envelopes.map(({ key }) => `text ${key}`)
      }
      const chunks: Uint8Array[] = []
      const options = { head: { export: 'all' }, org: 'acme', unseal }
      for await (const chunk of openedFields(folderSource(folder), options)) chunks.push(chunk)
      const [, ...fields] = Buffer.concat(chunks)
        .toString()
        .trimEnd()
        .split('\n')
        .map(text => JSON.parse(text))
      expect(fields.map(({ key, text, withheld }) => [key, text, withheld])).to.deep.equal([
        [one, undefined, true],
        [two, `text ${two}`, undefined],
        [three, undefined, true],
      ])
      expect(asked).to.deep.equal([two])
    }))

  it('has a list of all credentials: what the server makes, by the events that hold it', () => {
    for (const { commands, events } of aggregates) {
      const shapes = Object.values<z.ZodObject>(commands).map(({ shape }) => shape as Shape)
      const made = new Set(shapes.flatMap(shape => Object.keys(shape).filter(name => isMade(shape[name]!))))
      for (const [type, { shape }] of Object.entries<z.ZodObject>(events)) {
        for (const [field, schema] of Object.entries(shape as Shape)) {
          if (plainOf(schema) !== sealed) continue
          expect(isCredential(type, field), `${type}.${field}`).to.equal(made.has(field))
        }
      }
    }
  })
})
