import { expect } from 'chai'
import { commands } from '../../../domain/apps/webhook/messages.ts'
import { webhook } from '../../../domain/apps/webhook/webhook.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const sealed = (mark: string) => ({
  key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58',
  nonce: 'A'.repeat(16),
  text: mark.repeat(24),
  digest: 'D'.repeat(43),
})
const url = 'https://hooks.example/kogi'
const secret = sealed('a')
const data = { url, categories: ['task'], owner: 'user-1', grants: ['center.tasks.read', 'office.*'], secret }
const registered = { type: 'WebhookRegistered' as const, data }
const paused = { type: 'WebhookPaused', data: {} } as const
const removed = { type: 'WebhookRemoved', data: {} } as const

describe('webhook', () => {
  const { given } = specFor(webhook)

  it('is registered with what its maker may read then', () =>
    given()
      .when(
        'register',
        { url, categories: ['task'], secret },
        {
          permissions: ['center.tasks.read', 'center.tasks.write', 'office.*'],
        },
      )
      .then(registered))
  it('is registered once, also after it was removed', () => {
    given(registered).when('register', { url, secret }).rejects('webhook_already_registered')
    given(registered, removed).when('register', { url, secret }).rejects('webhook_already_registered')
  })
  it('is changed where something is new', () => {
    given(registered)
      .when('change', { url: `${url}/2` })
      .then({ type: 'WebhookChanged', data: { url: `${url}/2` } })
    given(registered).when('change', { url, description: null }).changesNothing()
    given(registered)
      .when('change', { description: 'shop' })
      .then({ type: 'WebhookChanged', data: { description: 'shop' } })
  })
  it('keeps the secret before the last one, and when it was replaced', () => {
    const rotated = (mark: string) => ({ type: 'WebhookSecretRotated', data: { secret: sealed(mark) } }) as const
    given(registered)
      .when('rotate', { secret: sealed('b') })
      .then(rotated('b'))
    expect(stateOf(webhook, [registered, rotated('b'), rotated('c')])).to.deep.include({
      secret: sealed('c'),
      earlier: { secret: sealed('b'), rotatedAt: CONTEXT.at },
    })
  })
  it('is paused and resumed', () => {
    given(registered).when('pause', {}).then(paused)
    given(registered, paused).when('pause', {}).changesNothing()
    given(registered, paused).when('resume', {}).then({ type: 'WebhookResumed', data: {} })
    given(registered).when('resume', {}).changesNothing()
  })
  it('is disabled once where its receiver is gone, and resumed', () => {
    const delivery = 'c0ffee00-5b8e-5f77-96c2-a4e1d0b37f58'
    const disabled = { type: 'WebhookDisabled', data: { delivery, owner: 'user-1' } } as const
    given(registered).when('disable', { delivery }).then(disabled)
    given(registered, paused).when('disable', { delivery }).then(disabled)
    given(registered, disabled).when('disable', { delivery }).changesNothing()
    given(registered, removed).when('disable', { delivery }).changesNothing()
    given(registered, disabled).when('pause', {}).changesNothing()
    given(registered, disabled).when('resume', {}).then({ type: 'WebhookResumed', data: {} })
  })
  it('is tested, and asked to send again', () => {
    given(registered).when('test', {}).then({ type: 'WebhookTested', data: {} })
    given(registered).when('replay', {}).then({ type: 'WebhookReplayAsked', data: {} })
    const delivery = 'c0ffee00-5b8e-5f77-96c2-a4e1d0b37f58'
    given(registered).when('replay', { delivery }).then({ type: 'WebhookReplayAsked', data: { delivery } })
  })
  it('is removed for good', () => {
    given(registered).when('remove', {}).then(removed)
    given(registered, removed).when('remove', {}).changesNothing()
    const gone = given(registered, removed)
    gone.when('change', { url }).rejects('webhook_removed')
    gone.when('rotate', { secret }).rejects('webhook_removed')
    for (const name of ['pause', 'resume', 'test', 'replay'] as const) gone.when(name, {}).rejects('webhook_removed')
  })
  it('takes URLs of the web without user, password and fragment', () => {
    const takes = (sent: string) => commands.change.safeDecode({ url: sent }).success
    for (const good of [url, 'http://10.0.0.1:8080/x?y=z', 'https://[2001:db8::1]/'])
      expect(takes(good), good).to.be.true
    const bad = ['', 'hooks.example', 'ftp://hooks.example/', 'https://a:b@hooks.example/', `${url}#x`, 'https://']
    for (const each of bad) expect(takes(each), each).to.be.false
  })
})
