/** Sealed fields that nobody reads again: credentials that the server made, which say nothing about a person. */

/** The fields by the types of events that hold them. A test finds one that is missing. */
const CREDENTIALS: Readonly<Record<string, readonly string[]>> = {
  WebhookRegistered: ['secret'],
  WebhookSecretRotated: ['secret'],
}

/** Whether a field of an event holds a credential. */
export const isCredential = (type: string, field: string): boolean =>
  Object.hasOwn(CREDENTIALS, type) && CREDENTIALS[type]!.includes(field)
