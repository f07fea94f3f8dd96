import type { Route } from '../../domain/kernel/route.ts'
import { httpError } from './errors.ts'

type Target = { readonly route: Route; readonly names: readonly string[] }
type Node = { readonly children: Map<string, Node>; parameter?: Node; readonly targets: Map<string, Target> }

/** What a path leads to: the route, its parameters, or why there is none. */
type Match = { readonly route: Route; readonly params: Readonly<Record<string, string>> }

/** Other spellings of paths: pattern → canonical pattern, with the same parameter names. */
export type Aliases = Readonly<Record<string, string>>

/** Finds the route of a method and path. Throws `route_not_found`, `method_not_allowed` or `invalid_parameter`. */
export type FindRoute = (method: string, path: string) => Match

/** The methods that a path takes, HEAD and OPTIONS among them; empty where there is no such path. */
export type MethodsOf = (path: string) => string[]

/**
 * Builds the lookup of a list of routes: one step per path segment however many routes there are, a fixed segment
 * before a parameter. Throws where two routes collide, or an alias names a path that no route has.
 */
export function createPaths(
  routes: readonly Route[],
  aliases: Aliases = {},
): { find: FindRoute; methodsOf: MethodsOf } {
  const root = emptyNode()
  for (const route of routes) add(root, route, route.path)
  for (const [spelling, canonical] of Object.entries(aliases)) {
    const targets = routes.filter(route => route.path === canonical)
    if (targets.length === 0) throw new Error(`The alias ${spelling} leads to ${canonical}, which no route has`)
    for (const route of targets) add(root, route, spelling)
  }
  const methodsOf: MethodsOf = path => {
    const nodes: Node[] = []
    lookUp(root, segmentsOf(path), 0, node => nodes.push(node) === 0)
    const methods = [...new Set(nodes.flatMap(({ targets }) => [...targets.keys()]))]
    if (methods.includes('GET')) methods.push('HEAD')
    return methods.length === 0 ? [] : [...methods, 'OPTIONS']
  }
  const find: FindRoute = (method, path) => {
    const segments = segmentsOf(path)
    const wanted = method === 'HEAD' ? 'GET' : method
    let isKnown = false
    let target: Target | undefined
    lookUp(root, segments, 0, ({ targets }) => {
      isKnown = true
      target = targets.get(wanted)
      return target !== undefined
    })
    if (target) return { route: target.route, params: paramsOf(target, segments) }
    throw httpError(isKnown ? 'method_not_allowed' : 'route_not_found')
  }
  return { find, methodsOf }
}

function paramsOf({ names }: Target, segments: readonly string[]): Match['params'] {
  const params: Record<string, string> = Object.create(null)
  for (const [at, name] of names.entries()) if (name) params[name] = segments[at]!
  return params
}

/** Decodes a percent-encoded part of a URL. Throws `invalid_parameter` where it is malformed or holds U+0000. */
export function decodePart(text: string, field: string): string {
  if (!text.includes('%')) return text
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('\0')) return decoded
  } catch {
    // The error is thrown after this block.
  }
  throw httpError('invalid_parameter', [{ field, message: 'not valid percent-encoded UTF-8 text' }])
}

function segmentsOf(path: string): string[] {
  const segments = path.split('/').slice(1)
  if (segments.length > 1 && segments.at(-1) === '') segments.pop()
  return path.includes('%') ? segments.map(segment => decodePart(segment, 'path')) : segments
}

/**
 * Calls `isIt` with each pattern that a path fits until it says so, and answers whether it did. A fixed segment comes
 * before a parameter: `PATCH /notes/summary` is about a note.
 */
function lookUp(node: Node, segments: readonly string[], at: number, isIt: (node: Node) => boolean): boolean {
  if (at === segments.length) return node.targets.size > 0 && isIt(node)
  const segment = segments[at]!
  const child = node.children.get(segment)
  if (child && lookUp(child, segments, at + 1, isIt)) return true
  return node.parameter !== undefined && segment !== '' && lookUp(node.parameter, segments, at + 1, isIt)
}

function add(root: Node, route: Route, pattern: string) {
  const segments = pattern.split('/').slice(1)
  let node = root
  for (const segment of segments) {
    if (segment.startsWith(':')) {
      node.parameter ??= emptyNode()
      node = node.parameter
    } else {
      if (!node.children.has(segment)) node.children.set(segment, emptyNode())
      node = node.children.get(segment)!
    }
  }
  if (node.targets.has(route.method)) throw new Error(`Two routes answer ${route.method} ${pattern}`)
  const names = segments.map(segment => (segment.startsWith(':') ? segment.slice(1) : ''))
  node.targets.set(route.method, { route, names })
}

function emptyNode(): Node {
  return { children: new Map(), targets: new Map() }
}
