/**
 * Every process that a test starts ends with the process that runs the test, also when that one is killed by SIGKILL
 * and whatever the child does: a shell of its own session, which reads the ids of the children from a pipe, ends those
 * that are left when the pipe breaks. Mocha requires this file once in its main process and once in each worker.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import type { Writable } from 'node:stream'

/** Time that the children of a killed process have to end in good order, in seconds. */
const GRACE_S = 1
/** Time between two looks of mocha's main process at whether the command that started it still runs. */
const LOOK_MS = 500

/** Reads `+ <pid>` and `- <pid>`; at the end of the input it ends the processes that were added and not taken off. */
const GUARD = `
  left=' '
  while read -r sign pid; do
    case $sign in
      +) left="$left$pid " ;;
      -) case "$left" in *" $pid "*) left="\${left%% $pid *} \${left#* $pid }" ;; esac ;;
    esac
  done
  [ -n "$(echo $left)" ] || exit 0
  kill -TERM $left 2>/dev/null
  kill -CONT $left 2>/dev/null
  sleep ${GRACE_S}
  kill -KILL $left 2>/dev/null`

const running = new Set<ChildProcess>()

/** Ends the children that are left of a test file, because a test of it ended before it could. */
export function endChildren(): void {
  for (const child of running) child.kill('SIGKILL')
}

function guardChildren(): void {
  const guard = spawn('/bin/sh', ['-c', GUARD], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const pipe = guard.stdin as Writable & { unref: () => void }
  pipe.on('error', () => {}) // A guard that was killed guards nothing; the tests go on.
  pipe.unref()
  guard.unref()
  subscribe('child_process', message => {
    const { process: child } = message as { process: ChildProcess }
    child.once('spawn', () => {
      running.add(child)
      pipe.write(`+ ${child.pid}\n`)
      child.once('exit', () => {
        running.delete(child)
        pipe.write(`- ${child.pid}\n`)
      })
    })
  })
}

/** Ends this process with the command `mocha`, which starts itself once more for its Node options. */
function endWithCommand(): void {
  const command = process.ppid
  setInterval(() => {
    if (process.ppid !== command) process.exit(1)
  }, LOOK_MS).unref()
}

guardChildren()
endWithCommand()
