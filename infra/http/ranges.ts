/** Ranges of bytes (RFC 9110, section 14): a client asks for a part of a file. */
import type { ByteRange } from '../../domain/kernel/route.ts'

/**
 * The part that a request asks for: `undefined` for the whole, `'unsatisfiable'` where there is no such byte. Several
 * ranges and other units are answered with the whole, which section 14.2 allows; so is a range of an older version.
 */
export function rangeOf(
  { range, 'if-range': ifRange }: { readonly range?: string | undefined; readonly 'if-range'?: string | undefined },
  size: number,
  etag: string,
): ByteRange | 'unsatisfiable' | undefined {
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range ?? '')
  if (!found || (found[1] === '' && found[2] === '')) return undefined
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const [from, to] = [found[1]!, found[2]!]
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= size ? 'unsatisfiable' : { first, last }
}

/** `Content-Disposition` (RFC 6266) of a file to be saved: a name in ASCII for old clients, and the name itself. */
export function attachment(name: string): string {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/gu, '_')
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
