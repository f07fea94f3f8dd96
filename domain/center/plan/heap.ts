/** Items of which the least is taken first (a binary heap). */
export class Heap {
  readonly #items: number[] = []
  readonly #order: (a: number, b: number) => number

  constructor(order: (a: number, b: number) => number) {
    this.#order = order
  }

  push(item: number): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#order(items[parent]!, item) <= 0) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  /** The least item, which is taken out; `undefined` where there is none. */
  pop(): number | undefined {
    const items = this.#items
    const [least] = items
    const last = items.pop()
    if (items.length === 0 || last === undefined) return least
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#order(items[child + 1]!, items[child]!) < 0) child += 1
      if (this.#order(last, items[child]!) <= 0) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return least
  }
}
