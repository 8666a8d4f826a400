/**
 * A map of the last entries: when it is full, the one that was added first makes room.
 */
export class Recent<K, V> extends Map<K, V> {
  private readonly capacity: number

  constructor(capacity: number) {
    super()
    this.capacity = capacity
  }

  override set(key: K, value: V): this {
    super.set(key, value)
    if (this.size > this.capacity) this.delete(this.keys().next().value!)
    return this
  }
}
