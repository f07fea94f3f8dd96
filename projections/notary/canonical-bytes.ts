/** Whether bytes are canonical JSON (RFC 8785), seen without parsing them. */
import { isUtf8 } from 'node:buffer'

const [QUOTE, COMMA, MINUS, ZERO, NINE, COLON, BACKSLASH, SPACE] = [34, 44, 45, 48, 57, 58, 92, 32]
const [LIST, LIST_END, OBJECT, OBJECT_END] = [91, 93, 123, 125]
const WORDS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')] as const
const ASCII_MAX = 127
/** Whole numbers of so many digits are written as they are. */
const DIGITS_MAX = 15
const DEPTH_MAX = 64
const UNSURE = -1

let isAscii = true

/**
 * True only for canonical JSON. False too where that would take a closer look: for texts with escapes, names that are
 * not ASCII, numbers that are not short and whole, and what is very deep.
 */
export function isSurelyCanonical(bytes: Buffer): boolean {
  isAscii = true
  return endOfValue(bytes, 0, 0) === bytes.length && (isAscii || isUtf8(bytes))
}

/** Where the value that begins at `at` ends. Beyond the last byte there is `undefined`, which is none that fits. */
function endOfValue(bytes: Buffer, at: number, depth: number): number {
  const byte = bytes[at]
  if (byte === QUOTE) return endOfText(bytes, at + 1) + 1 || UNSURE
  if (byte === OBJECT) return depth < DEPTH_MAX ? endOfObject(bytes, at + 1, depth + 1) : UNSURE
  if (byte === LIST) return depth < DEPTH_MAX ? endOfList(bytes, at + 1, depth + 1) : UNSURE
  const word = WORDS.find(word => word[0] === byte)
  if (!word) return endOfNumber(bytes, at)
  return word.every((letter, n) => bytes[at + n] === letter) ? at + word.length : UNSURE
}

/** Where the closing quote of a text stands. */
function endOfText(bytes: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === undefined || byte === BACKSLASH || byte < SPACE) return UNSURE
    if (byte > ASCII_MAX) isAscii = false
  }
}

function endOfList(bytes: Buffer, from: number, depth: number): number {
  if (bytes[from] === LIST_END) return from + 1
  for (let at = from; ; ) {
    at = endOfValue(bytes, at, depth)
    if (at === UNSURE) return UNSURE
    if (bytes[at] === LIST_END) return at + 1
    if (bytes[at] !== COMMA) return UNSURE
    at += 1
  }
}

function endOfObject(bytes: Buffer, from: number, depth: number): number {
  if (bytes[from] === OBJECT_END) return from + 1
  let [before, beforeEnd] = [0, 0]
  for (let at = from; ; ) {
    if (bytes[at] !== QUOTE) return UNSURE
    const [name, end] = [at + 1, endOfText(bytes, at + 1)]
    if (end === UNSURE || bytes[end + 1] !== COLON) return UNSURE
    if (beforeEnd > 0 && !isLater(bytes, { before, beforeEnd, name, end })) return UNSURE
    ;[before, beforeEnd] = [name, end]
    at = endOfValue(bytes, end + 2, depth)
    if (at === UNSURE) return UNSURE
    if (bytes[at] === OBJECT_END) return at + 1
    if (bytes[at] !== COMMA) return UNSURE
    at += 1
  }
}

type TwoNames = {
  readonly before: number
  readonly beforeEnd: number
  readonly name: number
  readonly end: number
}

/** Whether a name comes after the one before it. Of UTF-8 the order is that of UTF-16 only where both are ASCII. */
function isLater(bytes: Buffer, { before, beforeEnd, name, end }: TwoNames): boolean {
  const shorter = Math.min(beforeEnd - before, end - name)
  for (let n = 0; n < shorter; n += 1) {
    const [one, other] = [bytes[before + n]!, bytes[name + n]!]
    if (one > ASCII_MAX || other > ASCII_MAX) return false
    if (one !== other) return one < other
  }
  return beforeEnd - before < end - name
}

function endOfNumber(bytes: Buffer, from: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  let at = first
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1
  const digits = at - first
  const isZero = bytes[first] === ZERO
  if (digits === 0 || digits > DIGITS_MAX || (isZero && (digits > 1 || first > from))) return UNSURE
  return at
}
