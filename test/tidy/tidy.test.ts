import { expect } from 'chai'
import { sources } from '../architecture/sources.ts'
import { deadFiles, FILE_LINES_MAX, FUNCTION_LINES_MAX, KERNEL_LINES_MAX, kernelLines, untidy } from './rules.ts'

describe('tidy', () => {
  it('is the source tree', () => expect(untidy(sources)).to.deep.equal([]))
  it('has no dead file', () => expect(deadFiles(sources)).to.deep.equal([]))
  it('has a small kernel', () => expect(kernelLines(sources)).to.be.at.most(KERNEL_LINES_MAX))

  describe('notices', () => {
    const lines = (n: number, line = 'x()') => Array(n).fill(line).join('\n')
    const planted: Readonly<Record<string, readonly [path: string, text: string]>> = {
      'a long file': ['domain/x.ts', lines(FILE_LINES_MAX + 1)],
      'a long function': ['domain/x.ts', `function f() {\n${lines(FUNCTION_LINES_MAX - 1, '  x()')}\n}`],
      'a long arrow': [
        'domain/x.ts',
        `  const f = async (a: X): Promise<Y> => {\n${lines(FUNCTION_LINES_MAX - 1, '    x()')}\n  }`,
      ],
      'a long method': [
        'domain/x.ts',
        `  async take(x: A): Promise<B> {\n${lines(FUNCTION_LINES_MAX - 1, '    x()')}\n  }`,
      ],
      'a long line': ['domain/x.ts', `const x = ${'1 + '.repeat(40)}1`],
      'any as a type': ['domain/x.ts', 'const x: any = 1'],
      'any in a type': ['domain/x.ts', 'type X = Map<string, any>'],
      'a cast to any': ['domain/x.ts', 'f(x as any)'],
      'a default export': ['domain/x.ts', 'export default 1'],
      'a note to oneself': ['domain/x.ts', '// TODO: later'],
      'a check that is switched off': ['domain/x.ts', '// @ts-ignore'],
      'a test that runs alone': ['test/x.test.ts', "it.only('x', () => 1)"],
      'a name that says nothing': ['infra/x.ts', 'class StoreManager {}'],
      'a file name that says nothing': ['infra/utils.ts', 'x()'],
      'a file name that is no kebab-case': ['infra/fooBar.ts', 'x()'],
      'a library that writes to the console': ['infra/x.ts', 'console.log(1)'],
      'a path of one machine': ['infra/x.ts', "const x = '/root/x'"],
    }
    for (const [what, [path, text]] of Object.entries(planted)) {
      it(what, () => expect(untidy([{ path, text }])).to.have.length(1))
    }

    it('a dead file, also one that only dead files name', () => {
      const tree = [
        { path: 'scripts/kogi.ts', text: "import { a } from '../infra/a.ts'" },
        { path: 'infra/a.ts', text: "spawn(new URL('./b.ts', import.meta.url))" },
        { path: 'infra/b.ts', text: '' },
        { path: 'infra/c.ts', text: "import './d.ts'" },
        { path: 'infra/d.ts', text: "import './c.ts'" },
      ]
      expect(deadFiles(tree)).to.deep.equal(['infra/c.ts', 'infra/d.ts'])
    })

    it('and nothing in what is in order', () => {
      const text = [
        '// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named',
        'export type AnyThing = Thing<any>',
        "const any = 'any'",
        `const url = '${'x'.repeat(20)}'`,
        lines(100),
      ].join('\n')
      expect(untidy([{ path: 'domain/x.ts', text }])).to.deep.equal([])
    })
  })
})
