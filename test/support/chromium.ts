/** A page in a headless Chromium, by the Chrome DevTools Protocol; a browser on the path is asked for. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { patient } from './pace.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const START_MS = 20_000

/** The browser that is there, `undefined` where there is none. */
export const chromium = (): string | undefined =>
  NAMES.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)

export type Page = {
  /** The value of an expression; a promise is waited for. */
  readonly value: <T>(expression: string) => Promise<T>
  /** Chooses files in an input, as a person would. */
  readonly choose: (selector: string, files: readonly string[]) => Promise<void>
  readonly close: () => Promise<void>
}

type Answer = { readonly id?: number; readonly result?: Result; readonly error?: { readonly message: string } }
// biome-ignore lint/suspicious/noExplicitAny: each command of the protocol has its own answer
type Result = Record<string, any>

export async function openPage(browser: string, url: string): Promise<Page> {
  const profile = await mkdtemp(path.join(tmpdir(), 'kogi-chromium-'))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ]
  const child = spawn(browser, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const socket = new WebSocket(await addressOf(child))
  await once(socket, 'open')
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.on('message', data => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  let last = 0
  async function send(method: string, params: object, sessionId?: string): Promise<Result> {
    const id = ++last
    const answered = new Promise<Answer>(resolve => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }))
    const { result, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result!
  }
  const { targetId } = await send('Target.createTarget', { url })
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
  const page: Page = {
    async value(expression) {
      const options = { expression, awaitPromise: true, returnByValue: true }
      const { result, exceptionDetails } = await send('Runtime.evaluate', options, sessionId)
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    },
    async choose(selector, files) {
      const { root } = await send('DOM.getDocument', {}, sessionId)
      const { nodeId } = await send('DOM.querySelector', { nodeId: root.nodeId, selector }, sessionId)
      await send('DOM.setFileInputFiles', { nodeId, files }, sessionId)
    },
    async close() {
      socket.close()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  for (const end = Date.now() + patient(START_MS); Date.now() < end; await sleep(50)) {
    if (await page.value<boolean>(`location.href !== 'about:blank' && document.readyState === 'complete'`)) return page
  }
  throw new Error(`${url} was not loaded`)
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = ''
  const found = new Promise<string>((resolve, reject) => {
    child.stderr!.on('data', chunk => {
      said += chunk
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (address) resolve(address)
    })
    child.on('exit', () => reject(new Error(`the browser ended: ${said}`)))
  })
  return found
}
