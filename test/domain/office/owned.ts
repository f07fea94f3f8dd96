import type { specFor } from '../../support/spec.ts'

type Given = ReturnType<typeof specFor>['given']

/** What is personal until it is of more: `type` is how its events begin, `open` a kind that is not personal. */
export function isOwned(given: Given, type: string, open: string): void {
  const plain = { name: 'Clients', kind: 'personal', shared_with: ['team design'] }
  const added = { type: `${type}Added`, data: { ...plain, owner: 'user-1' } }
  const renamed = { type: `${type}Changed`, data: { name: 'Friends' } }
  const refused = `${type.toLowerCase()}_not_yours`
  const renaming = (context = {}) => given(added).when('change', { name: 'Friends' }, context)

  it('is changed by its owner, whom it is shared with, and administrators while it is personal', () => {
    given().when('add', plain).then(added)
    renaming().then(renamed)
    renaming({ actor: 'eve' }).rejects(refused)
    given(added)
      .when('remove', {}, { actor: 'eve', teams: ['print'] })
      .rejects(refused)
    renaming({ actor: 'ben', teams: ['design'] }).then(renamed)
    renaming({ actor: 'eve', permissions: ['office.*'] }).then(renamed)
    renaming({ actor: 'process:x', behalf: { subject: 'eve', roles: [] } }).rejects(refused)
  })

  it('is changed by anybody once it is of the organization', () => {
    const opened = { type: `${type}Changed`, data: { kind: open } }
    given(added, opened).when('change', { name: 'Friends' }, { actor: 'eve' }).then(renamed)
  })
}
