import type { ServerResponse } from 'node:http'
import type { Outlet } from '../../domain/kernel/route.ts'

/** What bytes are written to: an HTTP answer or a WebSocket. */
type Target = {
  /** Calls back once the bytes have left the process. */
  readonly write: (data: string | Uint8Array, done: () => void) => void
  readonly waiting: () => number
  readonly end: (data: string) => void
  readonly cut: () => void
}

/** Time that a client has to read the last word before its connection is cut. */
const LINGER_MS = 2_000

/** An outlet over a target; `closed` is called by its owner once the target is closed. */
export function outletTo({ write, waiting, end, cut }: Target): Outlet & { readonly closed: () => void } {
  const drained: (() => void)[] = []
  const over: (() => void)[] = []
  let sent = 0
  let left = 0
  let movedAt = 0
  let isOpen = true
  let cutting: NodeJS.Timeout | undefined
  const leave = () => {
    left += 1
    movedAt = performance.now()
    if (left === sent) for (const listener of drained) listener()
  }
  return {
    send(data) {
      if (!isOpen) return
      if (left === sent) movedAt = performance.now()
      sent += 1
      write(data, leave)
    },
    waiting,
    stalledMs: () => (left === sent ? 0 : performance.now() - movedAt),
    end(data) {
      if (!isOpen) return
      isOpen = false
      end(data)
      cutting = setTimeout(cut, LINGER_MS)
    },
    onDrain: listener => void drained.push(listener),
    onClose: listener => void over.push(listener),
    closed() {
      isOpen = false
      clearTimeout(cutting)
      for (const listener of over.splice(0)) listener()
    },
  }
}

/** The outlet of an HTTP answer whose head is sent. */
export function outletOf(response: ServerResponse): Outlet {
  const outlet = outletTo({
    write: (data, done) => void response.write(data, done),
    waiting: () => response.writableLength,
    end: data => void response.end(data),
    cut: () => response.destroy(),
  })
  response.on('error', () => response.destroy())
  response.once('close', outlet.closed)
  return outlet
}
