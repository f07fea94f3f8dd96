import { importsOf, resolved, type Source } from './sources.ts'

/**
 * Files that import one another in a circle, imports of types included: one line for each group, its files in order.
 * These are the strongly connected components of the graph of imports (Tarjan 1972).
 */
export function circles(sources: readonly Source[]): readonly string[] {
  const paths = new Set(sources.map(({ path }) => path))
  const targets = new Map(sources.map(source => [source.path, targetsOf(source).filter(path => paths.has(path))]))
  const found: string[] = []
  const order = new Map<string, number>()
  const open: string[] = []

  /** Visits a file and what it imports; returns the earliest open file that can be reached from it. */
  function visit(file: string): number {
    const own = order.size
    order.set(file, own)
    open.push(file)
    let earliest = own
    for (const target of targets.get(file)!) {
      if (!order.has(target)) earliest = Math.min(earliest, visit(target))
      else if (open.includes(target)) earliest = Math.min(earliest, order.get(target)!)
    }
    if (earliest === own) {
      const group = open.splice(open.indexOf(file))
      if (group.length > 1 || targets.get(file)!.includes(file)) found.push(group.sort().join(' '))
    }
    return earliest
  }

  for (const file of paths) if (!order.has(file)) visit(file)
  return found.sort()
}

const targetsOf = (source: Source): readonly string[] =>
  importsOf(source)
    .filter(name => name.startsWith('.'))
    .map(name => resolved(source.path, name))
