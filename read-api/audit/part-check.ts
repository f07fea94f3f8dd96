/** The check of a part of an export: the lines of some streams, beside which others may be checked at the same time. */

import { type Erasures, erasuresIn } from './erased.ts'
import type { History } from './history-check.ts'
import { type Counted, type LineCheckOptions, lineChecker, type Names } from './line-check.ts'

/** What parts of one export have in common, as it can be sent to another thread. */
export type PartSetting = Pick<LineCheckOptions, 'org' | 'skips' | 'selection'> & {
  /** Whether leaves are asked for. */
  readonly wantsLeaves: boolean
}

/** What every part is checked against. */
export type Rules = Pick<LineCheckOptions, 'projections' | 'schemas' | 'decode'> & {
  readonly names: Names
  readonly history: History
}

/** What can only be checked among all lines of an export, in the order of the lines of a part. */
export type Part = {
  readonly positions: BigUint64Array<ArrayBuffer>
  /** 59 bits of the id of the command that begins with a line, in two numbers; zeros where none does. */
  readonly commands: Uint32Array<ArrayBuffer>
  /** Hashes that the notary's tree has of the lines; none where they are not asked for. */
  readonly leaves: Uint8Array<ArrayBuffer>
}

/** What a part holds, after its last line, and of how many things not all events were folded. */
export type PartEnd = { readonly counted: Counted; readonly unfolded: number; readonly erasures: Erasures }

const LEAF_BYTES = 32
/** Tells an id whose digits are all zero from none. */
const BEGINS = 0x80_00_00_00

/** Takes the lines of a part in their order; throws an `AuditFault` where one of them is wrong by itself. */
export function partChecker({ names, history, ...rules }: Rules, { wantsLeaves, ...setting }: PartSetting) {
  const erasures = erasuresIn()
  let unfolded = 0
  let command: string | undefined
  const onEnd = (things: number) => {
    unfolded = things
  }
  const onCommand = (id: string) => {
    command = id
  }
  const checker = lineChecker({
    ...rules,
    ...setting,
    names: { ...names, onCommand },
    history: { ...history, onEnd },
  })
  let line = 0
  return {
    check(lines: readonly Buffer[]): Part {
      const positions = new BigUint64Array(lines.length)
      const commands = new Uint32Array(lines.length * 2)
      const leaves = new Uint8Array(wantsLeaves ? lines.length * LEAF_BYTES : 0)
      for (const [at, bytes] of lines.entries()) {
        command = undefined
        line += 1
        const checked = checker.check(bytes, line)
        positions[at] = checked.position
        if (wantsLeaves) leaves.set(checked.leaf(), at * LEAF_BYTES)
        if (command !== undefined) commands.set(bitsOf(command), at * 2)
        if (checked.decoded && 'stored' in checked.line) erasures.add(checked.line.stored)
      }
      return { positions, commands, leaves }
    },
    end(): PartEnd {
      const counted = checker.end()
      return { counted, unfolded, erasures: erasures.found }
    },
  }
}

/** The digits that tell a UUID from others; that of its version does not. */
const bitsOf = (id: string): readonly [number, number] => [
  Number.parseInt(id.slice(0, 8), 16),
  (Number.parseInt(id.slice(9, 13) + id.slice(15, 18), 16) | BEGINS) >>> 0,
]
