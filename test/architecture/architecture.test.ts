import { expect } from 'chai'
import { circles } from './circles.ts'
import { breaches } from './rules.ts'
import { codeOf, importsOf, sources } from './sources.ts'

describe('architecture', () => {
  // This file holds planted imports as texts.
  const own = sources.filter(({ path }) => path !== 'test/architecture/architecture.test.ts')

  it('holds over the source tree', () => expect(breaches(own)).to.deep.equal([]))

  it('has no circle of imports, types included', () => {
    expect(circles(own)).to.deep.equal([])
  })

  it('looks at every folder', () => {
    const seen = new Set(sources.map(({ path }) => path.split('/')[0]))
    expect([...seen]).to.have.members(['domain', 'commands', 'projections', 'read-api', 'infra', 'scripts', 'test'])
    expect(sources.flatMap(importsOf).length).to.be.greaterThan(100)
  })

  describe('notices', () => {
    const planted: Readonly<Record<string, readonly [path: string, text: string]>> = {
      'a domain that imports infra': ['domain/wallet/wallet/wallet.ts', "import { log } from '../../../infra/log.ts'"],
      'a type alone': ['commands/execute.ts', "import type { Row } from '../projections/rows/tables.ts'"],
      'an import over several lines': ['commands/execute.ts', "import {\n  a,\n  b,\n} from '../read-api/resource.ts'"],
      'an import while running': ['projections/rows/fold.ts', "const x = await import('../../commands/execute.ts')"],
      'an export of another folder': ['read-api/resource.ts', "export { execute } from '../commands/execute.ts'"],
      'a bare import': ['projections/rows/fold.ts', "import '../../infra/config.ts'"],
      'infra that imports scripts': ['infra/config.ts', "import { table } from '../scripts/terminal.ts'"],
      'a product that imports its tests': ['scripts/import.ts', "import { specFor } from '../test/support/spec.ts'"],
      'an aggregate that imports another': [
        'domain/center/task/task.ts',
        "import { wallet } from '../../wallet/wallet/wallet.ts'",
      ],
      'a kernel that knows an aggregate': [
        'domain/kernel/json.ts',
        "import { EXTERNAL } from '../wallet/wallet/messages.ts'",
      ],
      'a projection that decides': [
        'projections/wallet/balances.ts',
        "import { wallet } from '../../domain/wallet/wallet/wallet.ts'",
      ],
      'a package in the domain': ['domain/kernel/json.ts', "import { createHash } from 'node:crypto'"],
      'zod outside the kernel': ['domain/wallet/wallet/messages.ts', "import { z } from 'zod'"],
      'the event store on the read side': ['read-api/x.ts', "import { Client } from '@eventstore/db-client'"],
      'a clock in the domain': ['domain/wallet/wallet/wallet.ts', 'const now = Date.now()'],
      'chance in the domain': ['domain/wallet/wallet/wallet.ts', 'const n = Math.random()'],
      'waiting in the domain': ['domain/wallet/wallet/wallet.ts', 'const f = async () => 1'],
      'the environment in the domain': ['domain/wallet/wallet/wallet.ts', 'const x = process.env.X'],
    }
    for (const [what, [path, text]] of Object.entries(planted)) {
      it(what, () => expect(breaches([{ path, text }])).to.have.length(1))
    }

    it('circles of two files, of types over three, of a file with itself, and not what only leads into one', () => {
      const tree = [
        { path: 'infra/a.ts', text: "import { b } from './b.ts'" },
        { path: 'infra/b.ts', text: "import { c } from './a.ts'" },
        { path: 'scripts/c.ts', text: "import type { D } from './d.ts'\nimport { a } from '../infra/a.ts'" },
        { path: 'scripts/d.ts', text: "export type { E } from './e.ts'" },
        { path: 'scripts/e.ts', text: "const c = await import('./c.ts')" },
        { path: 'scripts/f.ts', text: "import './f.ts'" },
        { path: 'scripts/g.ts', text: "import './c.ts'" },
      ]
      expect(circles(tree)).to.deep.equal([
        'infra/a.ts infra/b.ts',
        'scripts/c.ts scripts/d.ts scripts/e.ts',
        'scripts/f.ts',
      ])
    })

    it('and nothing in comments, texts and patterns', () => {
      const text = [
        "/** Where `await` and Date stand: import { x } from '../../../infra/log.ts' */",
        "const a = 'await process.env' // Date.now()",
        'const b = `Math.random`',
        'const c = /async "Date/.test(a) && "it\'s"',
        "import { z } from '../../kernel/schema.ts'",
      ].join('\n')
      expect(breaches([{ path: 'domain/wallet/wallet/wallet.ts', text }])).to.deep.equal([])
      expect(codeOf({ path: '', text }).split('\n')).to.have.length(5)
    })
  })
})
