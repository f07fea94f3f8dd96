/** Storage of the search index: very many ascending lists of numbers in one block of memory. */

const ROOM_MIN = 2
/** How much larger than its lists a block is made when it is full. */
const GROWTH = 1.3
/** Longer parts of a block are copied at once; a few items are faster one by one. */
const COPIED_MIN = 32
const COUNT_MAX = 0xffff

/** What lists hold, to store them. */
export type ListsState = {
  readonly items: Uint32Array
  readonly counts: Uint16Array
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  readonly rooms: Uint32Array
}

/**
 * Lists of numbers below 2^32, each number with a count, named by numbers that are small and near each other. Small
 * arrays of their own would cost more than what is in them: most words stand in very few texts.
 */
export class Lists {
  /** The lists that a state is of. */
  static of(state: ListsState): Lists {
    const lists = new Lists()
    lists.#items = state.items.slice()
    lists.#counts = state.counts.slice()
    lists.#starts = state.starts.slice()
    lists.#lengths = state.lengths.slice()
    lists.#rooms = state.rooms.slice()
    lists.#lists = lists.#starts.length
    lists.#end = lists.#items.length
    lists.#reserved = lists.#rooms.reduce((sum, room) => sum + room, 0)
    return lists
  }

  /** All of it, as long as nothing changes. */
  get state(): ListsState {
    return {
      items: this.#items.subarray(0, this.#end),
      counts: this.#counts.subarray(0, this.#end),
      starts: this.#starts.subarray(0, this.#lists),
      lengths: this.#lengths.subarray(0, this.#lists),
      rooms: this.#rooms.subarray(0, this.#lists),
    }
  }

  #items = new Uint32Array(1024)
  #counts = new Uint16Array(1024)
  /** Of each list: where it begins in the block, how long it is, and how long it may become there. */
  #starts = new Uint32Array(64)
  #lengths = new Uint32Array(64)
  #rooms = new Uint32Array(64)
  #lists = 0
  #end = 0
  #reserved = 0

  /** The block with the items of all lists; another one after each change. */
  get items(): Uint32Array {
    return this.#items
  }

  /** The counts, each at the place of its item. */
  get counts(): Uint16Array {
    return this.#counts
  }

  /** Where a list begins in `items` and `counts`. */
  startOf(list: number): number {
    return this.#starts[list] ?? 0
  }

  lengthOf(list: number): number {
    return this.#lengths[list] ?? 0
  }

  /** The count of an item in a list; 0 where the list does not have it. */
  countOf(list: number, item: number): number {
    const at = this.#placeOf(list, item)
    return at < this.startOf(list) + this.lengthOf(list) && this.#items[at] === item ? this.#counts[at]! : 0
  }

  /** Puts an item into a list where it belongs by its size; the item must not be in it. */
  insert(list: number, item: number, count: number): void {
    const length = this.lengthOf(list)
    this.#makeRoom(list, length + 1)
    const start = this.#starts[list]!
    const isLast = length === 0 || this.#items[start + length - 1]! < item
    const at = isLast ? start + length : this.#placeOf(list, item)
    if (!isLast) {
      this.#items.copyWithin(at + 1, at, start + length)
      this.#counts.copyWithin(at + 1, at, start + length)
    }
    this.#items[at] = item
    this.#counts[at] = Math.min(count, COUNT_MAX)
    this.#lengths[list] = length + 1
  }

  /** Takes an item out of a list that has it. */
  remove(list: number, item: number): void {
    const end = this.#starts[list]! + this.#lengths[list]!
    const at = this.#placeOf(list, item)
    this.#items.copyWithin(at, at + 1, end)
    this.#counts.copyWithin(at, at + 1, end)
    this.#lengths[list] = this.#lengths[list]! - 1
    if (this.#lengths[list] === 0) this.clear(list)
  }

  /** Empties a list and gives its room back. */
  clear(list: number): void {
    this.#reserved -= this.#rooms[list] ?? 0
    this.#rooms[list] = 0
    this.#lengths[list] = 0
  }

  #placeOf(list: number, item: number): number {
    let low = this.startOf(list)
    let high = low + this.lengthOf(list)
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#items[middle]! < item) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Moves a list that is full to the end of the block, with room to grow by half. */
  #makeRoom(list: number, needed: number): void {
    if (list >= this.#starts.length) this.#makeNames(list)
    this.#lists = Math.max(this.#lists, list + 1)
    if (needed <= this.#rooms[list]!) return
    const room = Math.max(ROOM_MIN, Math.ceil(needed * 1.25))
    if (this.#end + room > this.#items.length) this.#pack(room)
    const [start, length] = [this.#starts[list]!, this.#lengths[list]!]
    this.#items.copyWithin(this.#end, start, start + length)
    this.#counts.copyWithin(this.#end, start, start + length)
    this.#starts[list] = this.#end
    this.#reserved += room - this.#rooms[list]!
    this.#rooms[list] = room
    this.#end += room
  }

  #makeNames(list: number): void {
    const size = Math.ceil((list + 1) * GROWTH)
    this.#starts = resized(this.#starts, size)
    this.#lengths = resized(this.#lengths, size)
    this.#rooms = resized(this.#rooms, size)
  }

  /** Copies the lists into a new block, one behind the other, so that no room of moved lists is lost for long. */
  #pack(more: number): void {
    const size = Math.ceil((this.#reserved + more) * GROWTH) + 1024
    const [items, counts] = [new Uint32Array(size), new Uint16Array(size)]
    let end = 0
    for (let list = 0; list < this.#lists; list += 1) {
      const [start, length] = [this.#starts[list]!, this.#lengths[list]!]
      if (length > COPIED_MIN) {
        items.set(this.#items.subarray(start, start + length), end)
        counts.set(this.#counts.subarray(start, start + length), end)
      } else {
        for (let at = 0; at < length; at += 1) {
          items[end + at] = this.#items[start + at]!
          counts[end + at] = this.#counts[start + at]!
        }
      }
      this.#starts[list] = end
      end += this.#rooms[list]!
    }
    this.#items = items
    this.#counts = counts
    this.#end = end
  }
}

/** A copy with another length: cut off, or with zeros behind. */
export function resized<A extends Int8Array | Uint8Array | Uint16Array | Uint32Array | Float64Array>(
  array: A,
  size: number,
): A {
  const copy = new (array.constructor as new (size: number) => A)(size)
  copy.set(array.subarray(0, size))
  return copy
}
