/** Operations of the OpenAPI document that need more than a server, or are sent elsewhere. */
type Operation = { readonly path: string }

/** Trees that a notary makes, who is in another process; `test/notary` reads them. */
export const isOfNotary = ({ path }: Operation): boolean => path.includes('/log/')
/** What a worker makes of an export, or of a memory that is forgotten; `audit-exports` and `memories` read it. */
export const isOfWorker = ({ path }: Operation): boolean =>
  /\/exports\/\{\w+\}\/(content|disclosures\/)|receipt$/.test(path)

/** The operations of signing in, which `test/flows/sign-in.test.ts` sends. */
export const isOfSignIn = ({ path }: Operation): boolean => /^\/kbs\/(sign-|me(\/|$)|oauth|recover|step-up)/.test(path)
