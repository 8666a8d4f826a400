/**
 * A stream that is always ready: the same element as often as asked for, in batches.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"

export class Source<A> {
  static readonly BATCH = 64
  private readonly gate = Latch.makeUnsafe(false)
  private readonly batch: readonly [A, ...Array<A>]
  private left = 0
  readonly stream: Stream.Stream<A>

  constructor(element: A) {
    this.batch = [element, ...Array.from({ length: Source.BATCH - 1 }, () => element)]
    const pull: Effect.Effect<readonly [A, ...Array<A>]> = Effect.suspend(() => {
      if (this.left > 0) {
        this.left -= Source.BATCH
        return Effect.succeed(this.batch)
      }
      this.gate.closeUnsafe()
      return Effect.andThen(this.gate.await, pull)
    })
    this.stream = Stream.fromPull(Effect.succeed(pull))
  }

  /** `count` elements, rounded up to whole batches. */
  emit(count: number): void {
    this.left = count
    this.gate.openUnsafe()
  }
}
