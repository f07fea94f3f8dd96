import { isUtf8 } from 'node:buffer'
import { httpError } from './errors.ts'

/** Deepest nesting of a body; deeper ones could exhaust the stack of recursive functions. */
const MAX_DEPTH = 64

/** Parses a JSON body in UTF-8. Throws `invalid_json` with the line and column of the first fault. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalid('The body is not valid UTF-8.', 'not valid UTF-8')
  let text = bytes.toString('utf8')
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
  const tooDeep = depthFault(text)
  if (tooDeep !== undefined) throw invalidAt(text, tooDeep, `nested deeper than ${MAX_DEPTH} levels`)
  try {
    return JSON.parse(text)
  } catch {
    throw invalidAt(text, faultOf(text), text.trim() === '' ? 'empty body' : 'not valid JSON')
  }
}

function invalidAt(text: string, offset: number, problem: string) {
  const before = text.slice(0, offset).split('\n')
  const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`
  return invalid(`The body is not valid JSON at ${place}.`, `${problem} at ${place}`)
}

function invalid(message: string, problem: string) {
  return httpError('invalid_json', [{ field: 'body', message: problem }], message)
}

/** Offset of the bracket that opens a level too many, if there is one. */
function depthFault(text: string): number | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++
    } else if (char === OPEN_BRACKET || char === OPEN_BRACE) {
      if (++depth > MAX_DEPTH) return at
    } else if (char === CLOSE_BRACKET || char === CLOSE_BRACE) depth--
  }
  return undefined
}

const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [34, 92, 91, 93, 123, 125]

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings may not hold them
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** What may come next, at the place where a token begins. */
type Expected = 'value' | 'value or ]' | 'key or }' | 'key' | ':' | ', or end'

/**
 * Offset of the first token that JSON does not allow: the runtime's own message gives no position in some versions and
 * quotes the body in others. Runs only on a body that is already known to be wrong.
 */
function faultOf(text: string): number {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at
    const end = pattern.test(text) ? pattern.lastIndex : at
    const moved = end > at
    at = end
    return moved
  }
  for (;;) {
    skip(SPACE)
    const start = at
    const char = text[at]
    if (char === undefined) return at
    if (expected === ':') {
      if (char !== ':') return start
      at++
      expected = 'value'
    } else if (expected === ', or end') {
      const closes = char === (open.at(-1) === '{' ? '}' : ']')
      if (open.length === 0 || (char !== ',' && !closes)) return start
      at++
      if (closes) open.pop()
      else expected = open.at(-1) === '{' ? 'key' : 'value'
    } else if ((char === '}' && expected === 'key or }') || (char === ']' && expected === 'value or ]')) {
      at++
      open.pop()
      expected = ', or end'
    } else if (expected === 'key' || expected === 'key or }') {
      if (!skip(STRING)) return start
      expected = ':'
    } else if (char === '{' || char === '[') {
      at++
      open.push(char)
      expected = char === '{' ? 'key or }' : 'value or ]'
    } else {
      if (!skip(STRING) && !skip(SCALAR)) return start
      expected = ', or end'
    }
  }
}
