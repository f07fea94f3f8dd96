export default {
  kogi: { input: { target: 'generated/kogi.json' }, output: { client: 'zod', target: 'generated/orval.ts' } },
}
