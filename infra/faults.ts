/** Work of several parts, each of which is done although others fail. */
export class Faults {
  #first: { readonly error: unknown } | undefined

  /** Does a part, and keeps its failure. */
  async of(part: () => Promise<unknown>): Promise<void> {
    try {
      await part()
    } catch (error) {
      this.#first ??= { error }
    }
  }

  /** Throws the failure that came first, where there was one. */
  throwFirst(): void {
    if (this.#first) throw this.#first.error
  }
}
