import { expect } from 'chai'
import type { Command } from '../../commands/command.ts'
import { book } from '../../domain/briefcase/book/book.ts'
import { file } from '../../domain/briefcase/file/file.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { tree } from '../../domain/briefcase/tree/tree.ts'
import { workspace } from '../../domain/briefcase/workspace/workspace.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { eventStore, ORG, startProcess } from './support.ts'

const principalOf = (subject: string) => ({ subject, org: ORG, roles: [], permissions: [] })

describe('parts of a thing', () => {
  const log = eventStore()
  const process = () => {
    const { send } = startProcess(log.port)
    return (subject: string, command: Pick<Command, 'aggregate' | 'name' | 'id' | 'body'>) =>
      send({ opens: true, principal: principalOf(subject), ...command })
  }
  const codeOf = (sent: Promise<unknown>) =>
    sent.then(
      () => undefined,
      error => (error instanceof KogiError ? error.code : String(error)),
    )
  const edit = (charter: string) => ({ aggregate: book, name: 'edit', id: 'menu', body: { charter } })
  const share = (role: string) => ({
    aggregate: item,
    name: 'share',
    id: 'menu',
    body: { kind: 'user', with: 'jon', role },
  })

  it('are changed by who may change it, as the log has it, and not as this process saw it last', async () => {
    const [one, other] = [process(), process()]
    await one('mira', { aggregate: item, name: 'add', id: 'menu', body: { name: 'Menu' } })
    expect(await codeOf(one('jon', edit('Soup.')))).to.equal(undefined)
    await other('mira', share('reader'))
    expect(await codeOf(one('jon', edit('Bread.')))).to.equal('item_not_yours')
    await other('mira', share('editor'))
    expect(await codeOf(one('jon', edit('Bread.')))).to.equal(undefined)
  })

  it('are asked for before and after a command that gives them to another whole', async () => {
    const send = process()
    const made = { name: 'Desk', item: 'menu', configuration: {}, plugins: [] }
    await send('mira', { aggregate: item, name: 'add', id: 'closed', body: { name: 'Closed' } })
    await send('mira', { aggregate: item, name: 'setEditing', id: 'closed', body: { editing: 'restricted' } })
    await send('jon', { aggregate: workspace, name: 'add', id: 'desk', body: made })
    const moved = (whole: string) => ({ aggregate: workspace, name: 'change', id: 'desk', body: { item: whole } })
    expect(await codeOf(send('jon', moved('closed')))).to.equal('item_not_yours')
    await send('mira', moved('closed'))
    expect(await codeOf(send('jon', moved('menu')))).to.equal('item_not_yours')
    const placed = { aggregate: tree, name: 'place', id: 'portfolio', body: { item: 'menu', parent: 'closed' } }
    expect(await codeOf(send('jon', placed))).to.equal('item_not_yours')
    expect(await codeOf(send('mira', placed))).to.equal(undefined)
  })

  it('stay as they are while the whole is archived, until it is restored', async () => {
    const send = process()
    const made = { item: 'old', name: 'a.txt', type: 'text/plain', size: '1', sha256: 'a'.repeat(64) }
    const charter = { ...edit('Before.'), id: 'old' }
    await send('mira', { aggregate: item, name: 'add', id: 'old', body: { name: 'Old' } })
    await send('mira', charter)
    await send('mira', { aggregate: file, name: 'add', id: 'old-file', body: made })
    await send('mira', { aggregate: item, name: 'archive', id: 'old', body: {} })
    const changes: readonly Pick<Command, 'aggregate' | 'name' | 'id' | 'body'>[] = [
      { ...charter, body: { charter: 'After.' } },
      { aggregate: file, name: 'add', id: 'new-file', body: made },
      {
        aggregate: file,
        name: 'addVersion',
        id: 'old-file',
        body: { type: 'text/plain', size: '1', sha256: 'b'.repeat(64) },
      },
      { aggregate: file, name: 'change', id: 'old-file', body: { name: 'b.txt' } },
      { aggregate: file, name: 'remove', id: 'old-file', body: {} },
      {
        aggregate: workspace,
        name: 'add',
        id: 'old-desk',
        body: { name: 'D', item: 'old', configuration: {}, plugins: [] },
      },
    ]
    for (const change of changes) expect(await codeOf(send('mira', change)), change.name).to.equal('item_archived')
    await send('mira', { aggregate: item, name: 'restore', id: 'old', body: {} })
    for (const change of changes.slice(0, 2))
      expect(await codeOf(send('mira', change)), change.name).to.equal(undefined)
  })
})
