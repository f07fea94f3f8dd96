/** Filters of `$all`: prefixes, or a regular expression, on the names of streams or the types of events. */
import type { FrameView } from '../log/frame.ts'
import { invalid } from '../wire/grpc-error.ts'
import type { FilterOptions } from '../wire/read-request.ts'

/** Says whether an event passes, by its stored bytes; a link is judged by itself and not by its target. */
export type Filter = (view: FrameView) => boolean

export function filterOf(options: FilterOptions): Filter {
  const bounds = options.on === 'stream' ? streamBounds : typeBounds
  if (options.regex !== undefined) {
    const regex = compiled(options.regex)
    return view => {
      const [start, end] = bounds(view)
      return regex.test(view.bytes.toString('utf8', start, end))
    }
  }
  const prefixes = options.prefixes.map(prefix => Buffer.from(prefix, 'utf8'))
  return view => {
    const [start, end] = bounds(view)
    return prefixes.some(prefix => startsWith(view.bytes, start, end, prefix))
  }
}

/** Start and end of the part that was looked at last; one array for all events, because every event is looked at. */
const range: [number, number] = [0, 0]

function streamBounds(view: FrameView): readonly [number, number] {
  range[0] = view.streamStart
  range[1] = view.streamEnd
  return range
}

function typeBounds(view: FrameView): readonly [number, number] {
  range[0] = view.typeStart
  range[1] = view.typeEnd
  return range
}

function startsWith(bytes: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (prefix.length > end - start) return false
  for (let index = 0; index < prefix.length; index++) if (bytes[start + index] !== prefix[index]) return false
  return true
}

/** Compiles a .NET expression as far as JavaScript can: leading inline options, \\A, \\z and \\Z. */
function compiled(pattern: string): RegExp {
  const inline = /^\(\?([imsn]+)\)/.exec(pattern)
  const flags = [...new Set(inline?.[1] ?? '')].filter(flag => flag !== 'n').join('')
  const body = pattern.slice(inline?.[0].length ?? 0)
  const translated = body.replace(/\\([\s\S])/g, (whole, char: string) =>
    char === 'A' ? '(?<![\\s\\S])' : char === 'z' || char === 'Z' ? '(?![\\s\\S])' : whole,
  )
  try {
    return new RegExp(translated, flags)
  } catch (error) {
    throw invalid(`The filter's regular expression is invalid: ${(error as Error).message}`)
  }
}
