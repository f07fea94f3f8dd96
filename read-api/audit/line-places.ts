/** A walk over the bytes of a line of JSON, which sees that it is canonical (RFC 8785) and where members stand. */

/** Bytes of the value of `data`, and of the member `position` with the comma before it; negative where they are not. */
export type Places = {
  readonly dataFrom: number
  readonly dataTo: number
  readonly positionFrom: number
  readonly positionTo: number
}

const [QUOTE, COMMA, MINUS, ZERO, NINE, COLON, BACKSLASH] = [34, 44, 45, 48, 57, 58, 92]
const [LIST, LIST_END, OBJECT, OBJECT_END, T, F, N] = [91, 93, 123, 125, 116, 102, 110]
const DATA = Buffer.from('data')
const POSITION = Buffer.from('position')
const ASCII_MAX = 127
/** Whole numbers of so many digits are written as they are. */
const DIGITS_MAX = 15
const DEPTH_MAX = 64

/** By depth: whether an object is open there, and where its last name begins and ends. */
const isObject = new Uint8Array(DEPTH_MAX + 1)
const nameFrom = new Int32Array(DEPTH_MAX + 1)
const nameTo = new Int32Array(DEPTH_MAX + 1)

/**
 * The places of a line that `JSON.parse` takes. `undefined` where the walk is not sure that the line is canonical:
 * where there are blanks, names that are not in order, escaped or not ASCII, texts with escapes, and numbers that are
 * not short and whole. It must see nothing as canonical that is not.
 */
export function placesIn(bytes: Buffer): Places | undefined {
  let [dataFrom, dataTo, positionFrom, positionTo] = [-1, -1, -1, -1]
  let [depth, at] = [0, 0]
  let [isName, isData, isPosition] = [false, false, false]
  isObject[0] = 0
  while (at < bytes.length) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      const from = at + 1
      const to = endOfText(bytes, from, isName)
      if (to < 0) return undefined
      at = to + 1
      if (!isName) continue
      if (!isLater(bytes, depth, from, to) || bytes[at] !== COLON) return undefined
      nameFrom[depth] = from
      nameTo[depth] = to
      isName = false
      at += 1
      if (depth !== 1) continue
      isData = isText(bytes, from, to, DATA)
      isPosition = isText(bytes, from, to, POSITION)
      if (isData) dataFrom = at
      else if (isPosition) positionFrom = from - 2
    } else if (byte === COMMA) {
      if (depth === 1 && isData) dataTo = at
      else if (depth === 1 && isPosition) positionTo = at
      isName = isObject[depth] === 1
      at += 1
    } else if (byte === OBJECT || byte === LIST) {
      depth += 1
      if (depth > DEPTH_MAX) return undefined
      isObject[depth] = byte === OBJECT ? 1 : 0
      nameTo[depth] = 0
      isName = byte === OBJECT
      at += 1
    } else if (byte === OBJECT_END || byte === LIST_END) {
      depth -= 1
      isName = false
      at += 1
    } else if (byte === T || byte === N) at += 4
    else if (byte === F) at += 5
    else {
      at = endOfNumber(bytes, at)
      if (at < 0) return undefined
    }
  }
  // Whatever stands elsewhere than in an event is put together from what was parsed.
  const isWhole = dataTo > 0 && positionTo > 0
  return isWhole ? { dataFrom, dataTo, positionFrom, positionTo } : NOWHERE
}

const NOWHERE: Places = { dataFrom: -1, dataTo: -1, positionFrom: -1, positionTo: -1 }

/** Where the text that begins at `from` has its closing quote; negative where it has an escape. */
function endOfText(bytes: Buffer, from: number, isName: boolean): number {
  let at = from
  for (;;) {
    const byte = bytes[at]!
    if (byte === QUOTE) return at
    if (byte === BACKSLASH || (isName && byte > ASCII_MAX)) return -1
    at += 1
  }
}

/** Whether the name from `from` to `to` comes after the last one of its object. */
function isLater(bytes: Buffer, depth: number, from: number, to: number): boolean {
  let before = nameFrom[depth]!
  const end = nameTo[depth]!
  if (end === 0) return true
  let at = from
  while (before < end && at < to) {
    const order = bytes[before]! - bytes[at]!
    if (order !== 0) return order < 0
    before += 1
    at += 1
  }
  return at < to
}

function isText(bytes: Buffer, from: number, to: number, text: Buffer): boolean {
  if (to - from !== text.length) return false
  for (let at = 0; at < text.length; at += 1) if (bytes[from + at] !== text[at]) return false
  return true
}

/** Where a short whole number ends; negative for others, and for what is no number. */
function endOfNumber(bytes: Buffer, from: number): number {
  let at = from
  if (bytes[at] === MINUS) at += 1
  const first = at
  while (at < bytes.length && bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1
  const digits = at - first
  if (digits === 0 || digits > DIGITS_MAX || (first > from && bytes[first] === ZERO)) return -1
  // A fraction, an exponent or a blank comes next.
  const next = bytes[at]
  return next === COMMA || next === OBJECT_END || next === LIST_END || next === undefined ? at : -1
}
