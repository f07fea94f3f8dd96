/** A caller's correlation id, where it is fit to be logged, stored and sent back. */
export function saneCorrelationId(given: string | string[] | undefined): string | undefined {
  return typeof given === 'string' && /^[A-Za-z0-9._~:/+=@-]{1,128}$/.test(given) ? given : undefined
}
