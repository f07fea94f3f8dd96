/**
 * XML from outside: read by libxml2, without any access to files or the network, and held against the schema that its
 * namespace names.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { XmlDocument, XmlElement, XmlTreeNode, XsdValidator } from 'libxml2-wasm'
import type { ReadXml } from '../../commands/imports/read.ts'
import type { Element } from '../../domain/wallet/statement/camt.ts'
import type { Fault } from '../../domain/wallet/statement/file.ts'

type Library = typeof import('libxml2-wasm')

const MESSAGE = /^urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]\.\d{3}\.\d{2})$/
const DEPTH_MAX = 100

let loaded: Promise<Library> | undefined
const validators = new Map<string, Promise<XsdValidator | undefined>>()

/** The elements of a document that no schema is known of, without their namespaces; what is wrong with it, by line. */
export async function readElements(
  bytes: Uint8Array,
): Promise<{ readonly root?: Element; readonly faults: readonly Fault[] }> {
  loaded ??= import('libxml2-wasm')
  const library = await loaded
  const { XmlDocument, ParseOption } = library
  try {
    const option = ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET
    const document = XmlDocument.fromBuffer(bytes, { option })
    try {
      if (document.dtd) return { faults: [{ line: 1, message: 'a request has no DOCTYPE' }] }
      const faults: Fault[] = []
      return { root: elementOf(library, document.root, 0, faults), faults }
    } finally {
      document.dispose()
    }
  } catch (error) {
    return { faults: faultsOf(library, error) }
  }
}

/** Reads a document. Loads the library, of some megabytes, with the first. */
export const readXml: ReadXml = async bytes => {
  loaded ??= import('libxml2-wasm')
  const library = await loaded
  const { XmlDocument, ParseOption } = library
  let document: XmlDocument
  try {
    const option = ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_BIG_LINES
    document = XmlDocument.fromBuffer(bytes, { option })
  } catch (error) {
    return { faults: faultsOf(library, error), deviations: [] }
  }
  try {
    if (document.dtd) return { faults: [{ line: 1, message: 'a bank message has no DOCTYPE' }], deviations: [] }
    const { root } = document
    const [, name] = MESSAGE.exec(root.namespaceUri) ?? []
    if (name === undefined) {
      const message = `the namespace "${root.namespaceUri.slice(0, 100)}" is none of camt.052, camt.053 and camt.054`
      return { faults: [{ line: root.line, message }], deviations: [] }
    }
    const validator = await validatorOf(library, name)
    const deviations = validator
      ? deviationsOf(library, validator, document)
      : [{ line: root.line, message: `there is no schema of ${name} here, so that the message is not held against it` }]
    const faults: Fault[] = []
    return { root: elementOf(library, root, 0, faults), faults, deviations }
  } finally {
    document.dispose()
  }
}

function deviationsOf(library: Library, validator: XsdValidator, document: XmlDocument): readonly Fault[] {
  try {
    validator.validate(document)
    return []
  } catch (error) {
    return faultsOf(library, error)
  }
}

/** The schema of a message, read once; `undefined` where there is none. */
function validatorOf({ XmlDocument, XsdValidator }: Library, name: string): Promise<XsdValidator | undefined> {
  const known = validators.get(name)
  if (known) return known
  const made = readFile(path.join(schemas(), `${name}.xsd`)).then(
    bytes => XsdValidator.fromDoc(XmlDocument.fromBuffer(bytes)),
    () => undefined,
  )
  validators.set(name, made)
  return made
}

/** The folder of schemas, in the folder of the package, wherever this code was bundled to. */
function schemas(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url))
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder)
  }
  return path.join(folder, 'infra/xml/schemas')
}

/** What the library says, without namespaces, which make it hard to read. Any other error goes on. */
function faultsOf({ XmlLibError }: Library, error: unknown): readonly Fault[] {
  if (!(error instanceof XmlLibError)) throw error
  return error.details.map(({ line, message }) => ({
    line: Math.max(1, line),
    message: TOO_DEEP.test(message)
      ? tooDeep(256)
      : message
          .replaceAll(/\{[^{}]*\}/g, '')
          .trim()
          .slice(0, 500),
  }))
}

/** How the library says that elements stand in one another deeper than it reads. */
const TOO_DEEP = /excessive depth/i
const tooDeep = (most: number) => `elements stand in one another more than ${most} deep, which no bank message needs`

function elementOf(library: Library, node: XmlElement, depth: number, faults: Fault[]): Element {
  const children: Element[] = []
  let text = ''
  for (let child: XmlTreeNode | null = node.firstChild; child; child = child.next) {
    if (child instanceof library.XmlElement) {
      if (depth < DEPTH_MAX) children.push(elementOf(library, child, depth + 1, faults))
      else faults.push({ line: child.line, message: tooDeep(DEPTH_MAX) })
    } else if (child instanceof library.XmlText || child instanceof library.XmlCData) text += child.content
  }
  const attributes = Object.fromEntries(node.attrs.map(({ name, value }) => [name, value]))
  return { name: node.name, line: node.line, attributes, children, text: text.trim() }
}
