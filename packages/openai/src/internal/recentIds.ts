/**
 * Memory of a bounded past.
 */

/** The last ids that were added: at least `size`, at most twice as many. */
export class RecentIds {
  private readonly size: number
  private young = new Set<string>()
  private old = new Set<string>()

  constructor(size: number) {
    this.size = size
  }

  has(id: string): boolean {
    return this.young.has(id) || this.old.has(id)
  }

  /** Returns whether the id is new. */
  add(id: string): boolean {
    if (this.old.has(id)) return false
    const before = this.young.size
    const { size } = this.young.add(id)
    if (size >= this.size) {
      this.old = this.young
      this.young = new Set()
    }
    return size > before
  }
}

/** Writes into a map, and forgets the oldest of more than `size` entries. */
export const remember = <K, V>(map: Map<K, V>, key: K, value: V, size: number): void => {
  map.set(key, value)
  if (map.size > size) map.delete(map.keys().next().value!)
}
