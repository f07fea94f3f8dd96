/** What a decision is made on beside the state and the command, and what a definition says of that. */
import type { z } from 'zod'
import type { DomainEvent, Who } from './event.ts'
import type { Json } from './json.ts'

/** What comes into a decision from outside the domain. */
export type Context = {
  /** The id of the thing decided on: the client's name for it, or one derived from the idempotency key. */
  readonly id: string
  readonly org: string
  /** Subject of the caller. */
  readonly actor: string
  /** Who caused what a process does: the subject, the roles and the teams in the event that it follows. */
  readonly behalf?: Who
  /** What the caller may do, as patterns: `center.tasks.read`, `center.*`. */
  readonly permissions: readonly string[]
  /** What the scopes of the caller's token or key stand for, where these narrow what the caller may do. */
  readonly scoped?: readonly string[] | undefined
  /** The teams of the caller: a process has none, those of `behalf` count for it. */
  readonly teams?: readonly string[] | undefined
  /** The instant of the command, as `timestamp`. */
  readonly at: string
  /** The earlier event of the thing that the command is about, `undefined` where there is none: see `looksUp`. */
  readonly found?: DomainEvent
  /** The state of the thing before that event, where the query asks for it. */
  readonly before?: unknown
  /** The state of the other thing that the command names, as the log has it: see `sees`. */
  readonly seen?: unknown
  /** The n-th id this command makes: the same command makes the same ids on every try. */
  readonly newId: (n: number) => string
}

/** Which earlier event of its thing a command is about. Without a `revision` it is the last one of them. */
export type EventQuery = {
  readonly types: readonly string[]
  readonly revision?: bigint | undefined
  readonly is: (data: { readonly [key: string]: Json }) => boolean
  /** Whether the decision needs the state before that event: the stream is then folded up to it. */
  readonly withBefore?: true
}

/** Another thing of the org, by its category and id. */
export type OtherThing = { readonly category: string; readonly id: string }

/** What things are parts of, and what these refuse with. */
export type PartOf<S> = {
  /** The things that a part belongs to, before a command and after it: all of them have to allow the change. */
  readonly of: (state: S, command: Readonly<Record<string, unknown>>, id: string) => readonly OtherThing[]
  /** Codes of the rejections that their guards throw. */
  readonly refusals: readonly string[]
}

/** What an aggregate says of how its things stand beside others. */
export type Beside<S, C extends Readonly<Record<string, z.ZodType>>> = {
  /** Throws a `Rejection` where a caller may not change the thing: the write path asks it for changes of its parts. */
  readonly guard?: (state: S, context: Context) => void
  /** What it is a part of: the guards of these, and of what these are parts of, are asked before it is changed. */
  readonly partOf?: PartOf<S>
  /**
   * Commands that copy what another thing says, which they name: the write path reads that thing's state before their
   * turn. What must hold between two things at every time is a process, or a rule of one stream.
   */
  readonly sees?: { readonly [K in keyof C & string]?: (command: z.output<C[K]>) => OtherThing | undefined }
  /**
   * Whose data a thing holds whose texts are sealed under a key of its own: by its state, or by the command that makes
   * it. The key is destroyed with the thing, and with the data of each of them; `[]` where it is gone.
   */
  readonly ownersOf?: (state: S, command: Readonly<Record<string, unknown>>, caller: string) => readonly string[]
  /** An org has one thing of this kind, of this id: commands do not name it. */
  readonly only?: string
  /** What examples call one, where no body of a client names it. */
  readonly exampleId?: string
  /** The category of which each thing may have one of this kind, of the same id: its first command makes it. */
  readonly twinOf?: string
}

/**
 * What a command does once in the life of its thing. It is remembered under `key` instead of the idempotency key of its
 * caller, so that no other command can do it again: that one is refused with the code and the message.
 */
export type Once = { readonly key: string; readonly refusal: readonly [code: string, message: string] }
