/** Answers of WebDAV (RFC 4918, section 14), as text. */

/** A property of an answer: its name with a prefix that `multistatus` declares, and its value as XML. */
export type Property = readonly [name: string, xml: string]

/** What an answer says of one resource: properties, or a status where it is not there. */
export type Answered = { readonly href: string; readonly properties?: readonly Property[]; readonly status?: number }

export const xmlText = (text: string): string =>
  text
    .replaceAll(/[&<>"]/g, each => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]!)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold them
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')

/** Namespaces of the prefixes that properties have here. */
const NAMESPACES = [
  ['D', 'DAV:'],
  ['C', 'urn:ietf:params:xml:ns:caldav'],
  ['A', 'urn:ietf:params:xml:ns:carddav'],
  ['S', 'http://calendarserver.org/ns/'],
  ['I', 'http://apple.com/ns/ical/'],
]

const WORDS: Readonly<Record<number, string>> = { 200: 'OK', 403: 'Forbidden', 404: 'Not Found' }
const statusText = (status: number) => `<D:status>HTTP/1.1 ${status} ${WORDS[status] ?? 'Error'}</D:status>`

export function multistatus(answers: readonly Answered[]): string {
  const names = NAMESPACES.map(([prefix, name]) => ` xmlns:${prefix}="${name}"`).join('')
  const responses = answers.map(({ href, properties, status }) => {
    const said =
      properties === undefined
        ? statusText(status ?? 404)
        : `<D:propstat><D:prop>${properties.map(element).join('')}</D:prop>${statusText(status ?? 200)}</D:propstat>`
    return `<D:response><D:href>${xmlText(href)}</D:href>${said}</D:response>`
  })
  return `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus${names}>${responses.join('')}</D:multistatus>\n`
}

const element = ([name, xml]: Property) => (xml === '' ? `<${name}/>` : `<${name}>${xml}</${name}>`)

export const hrefXml = (href: string): string => `<D:href>${xmlText(href)}</D:href>`
