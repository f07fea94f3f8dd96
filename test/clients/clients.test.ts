/** Clients that generators make of the OpenAPI documents. `npm ci --prefix test/clients` installs the generators. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import type { z } from 'zod'
import { exampleOf } from '../../commands/examples.ts'
import { flaggingDuplicates } from '../../commands/memory/store.ts'
import { commandRoutes } from '../../commands/routes.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { kinds, memoryPermissions, resources, services } from '../../infra/catalogue.ts'
import { openApi } from '../../infra/http/openapi.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { wireOf } from '../domain/support/arbitrary.ts'

const RUNS = process.env.KOGI_LONG ? 2_000 : 60

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const GENERATED = `${FOLDER}generated`

const routes = [
  ...flaggingDuplicates(commandRoutes(services, {} as never), {} as never),
  ...readRoutes({ kinds, resources, memoryPermissions } as never),
]
const withBodies = routes.filter(({ body }) => body !== undefined)
const tags = [...new Set(routes.map(({ tag }) => tag))]
const documents = ['kogi', ...tags]

/** Runs a program of this folder's packages; its output where it fails. */
async function run(program: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' }
  const limits = { cwd: FOLDER, env, maxBuffer: 64 * 1024 * 1024 }
  try {
    return (await promisify(execFile)(`${FOLDER}node_modules/.bin/${program}`, args, limits)).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  }
}

async function writeDocuments(): Promise<void> {
  await rm(GENERATED, { recursive: true, force: true })
  await mkdir(GENERATED)
  for (const name of documents) {
    const own = name === 'kogi' ? routes : routes.filter(({ tag }) => tag === name)
    const document = openApi(own, { version: '1.0.0', services })
    await writeFile(`${GENERATED}/${name}.json`, JSON.stringify(document))
  }
}

/** The validators of bodies that a generator made, under names that begin with the operation's: `WalletOpenBody`. */
type Validators = Readonly<Record<string, z.ZodType>>

const pascal = (operationId: string) =>
  operationId.replaceAll(/(?:^|\.)(.)/g, (_, letter: string) => letter.toUpperCase())

/** A validator accepts a body and leaves nothing out of it. What it adds are defaults. */
function mustAccept(validator: z.ZodType, body: unknown, operationId: string): void {
  const parsed = validator.safeParse(body)
  expect(parsed.success, `${operationId} ${JSON.stringify(body)}: ${parsed.error}`).to.equal(true)
  expect(parsed.data, operationId).to.deep.include(body as object)
}

describe('generated clients', function clients() {
  this.timeout(120_000)
  before(async function installed() {
    if (!existsSync(`${FOLDER}node_modules`)) {
      console.log('  generated clients are skipped: `npm ci --prefix test/clients` installs their generators')
      this.skip()
    }
    await writeDocuments()
  })

  it('have documents without a fault or a warning', async () => {
    const files = documents.map(name => `generated/${name}.json`)
    const said = await run('redocly', 'lint', '--format=json', ...files)
    const totals = [...said.matchAll(/"(errors|warnings)": *(\d+)/g)].map(([, , count]) => Number(count))
    expect(totals, said).to.deep.equal(documents.flatMap(() => [0, 0]))
  })

  for (const [generator, generate, file, prefix] of [
    ['orval', () => run('orval', '--config', 'orval.config.mjs'), 'orval', ''],
    [
      'hey-api',
      () => run('openapi-ts', '-i', './generated/kogi.json', '-o', 'generated/hey-api', '-p', 'zod'),
      'hey-api/zod.gen',
      'z',
    ],
  ] as const) {
    describe(`of ${generator}`, () => {
      let validators: Validators
      const validatorOf = ({ operationId }: Pick<Route, 'operationId'>) => {
        const name = `${prefix}${pascal(operationId)}Body`
        expect(validators).to.have.property(name)
        return validators[name]!
      }
      before(async () => {
        await generate()
        const plain = ['--noCheck', '--module', 'nodenext', '--target', 'es2023', '--rootDir', 'generated']
        await run('tsc', ...plain, '--outDir', 'generated/js', `generated/${file}.ts`)
        validators = (await import(new URL(`generated/js/${file}.js`, import.meta.url).href)) as Validators
      })

      it('accept the examples', () => {
        for (const route of withBodies) mustAccept(validatorOf(route), exampleOf(route.body!), route.operationId)
      })

      for (const route of withBodies.filter(({ operationId }) => operationId !== 'bulk')) {
        const { operationId } = route
        const body = route.body!
        it(`accept every body of ${operationId}`, () => {
          const valid = wireOf(body, 0).filter(wire => body.safeDecode(wire as never).success)
          const property = fc.property(valid, wire => mustAccept(validatorOf(route), wire, operationId))
          fc.assert(property, { numRuns: RUNS })
        })
      }
    })
  }

  describe('of openapi-typescript', () => {
    it('take the examples as their types, of every document', async () => {
      const named = documents.map(name => [name, { root: `${name}.json`, 'x-openapi-ts': { output: `${name}.d.ts` } }])
      await writeFile(`${GENERATED}/redocly.yaml`, JSON.stringify({ apis: Object.fromEntries(named) }))
      await run('openapi-typescript', '--redocly', 'generated/redocly.yaml')
      const typed = documents.flatMap(name => [
        `import type { paths as ${name} } from './${name}.d.ts'`,
        ...withBodies
          .filter(({ tag }) => name === 'kogi' || tag === name)
          .map(route => {
            const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
            const body = `NonNullable<${name}['${path}']['${route.method.toLowerCase()}']['requestBody']>`
            const constant = `${name}_${route.operationId.replace('.', '_')}`
            const example = JSON.stringify(exampleOf(route.body!))
            return `export const ${constant}: ${body}['content']['application/json'] = ${example}`
          }),
      ])
      await writeFile(`${GENERATED}/examples.ts`, `${typed.join('\n')}\n`)
      const strict = ['--strict', '--exactOptionalPropertyTypes']
      const modules = ['--module', 'nodenext', '--target', 'es2023', '--allowImportingTsExtensions']
      await run('tsc', '--noEmit', ...strict, ...modules, 'generated/examples.ts')
    })
  })
})
