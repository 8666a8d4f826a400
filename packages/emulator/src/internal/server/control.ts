/**
 * The hand on what happens next: faults, words and replies that wait for their trigger.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Reply } from "../../Prompt.ts"
import type { Control } from "../../Emulator.ts"
import type { Fault } from "../../Fault.ts"
import type { Connection } from "./connection.ts"
import type { Provider } from "./provider.ts"

export interface Plans {
  readonly control: Control
  /** Dies when one of the first faults is unknown to the wire. */
  readonly checked: Effect.Effect<void>
  /** Faults of a connection that comes now; those of the next one are used up. */
  readonly takeFaults: () => ReadonlyArray<Fault>
  readonly takeReply: () => Reply | undefined
  readonly takeWords: () => string | undefined
  readonly isHeld: () => boolean
}

/** Nothing is planned yet, but for the faults of every connection. */
export const make = (
  live: ReadonlyMap<number, Connection>,
  provider: Pick<Provider<never>, "faults">,
  faults: ReadonlyArray<Fault>
): Plans => {
  const replies: Array<Reply> = []
  const words: Array<string> = []
  let next: ReadonlyArray<Fault> = []
  let every = faults
  let isHeld = false

  // a test must not believe in a fault that this wire cannot have
  const plan = <A>(faults: ReadonlyArray<Fault>, effect: () => A): Effect.Effect<A> =>
    Effect.suspend(() => {
      const strange = faults.find(({ _tag }) => !provider.faults.has(_tag))
      return strange === undefined
        ? Effect.sync(effect)
        : Effect.die(new Error(`This wire has no fault of the kind ${strange._tag}`))
    })
  const toAll = (act: (connection: Connection) => void): void => {
    for (const connection of live.values()) act(connection)
  }
  const control: Control = {
    onNextConnection: (...faults) => plan(faults, () => void (next = [...next, ...faults])),
    onEveryConnection: (...faults) => plan(faults, () => void (every = [...every, ...faults])),
    inject: (...faults) =>
      plan(faults, () => {
        toAll(({ inject }) => inject(faults))
        return live.size
      }),
    reset: Effect.sync(() => {
      next = []
      every = []
    }),
    nextReply: (reply) => Effect.sync(() => void replies.push(reply)),
    nextTranscript: (text) => Effect.sync(() => void words.push(text)),
    hold: Effect.sync(() => {
      isHeld = true
      toAll(({ dispatch }) => dispatch({ _tag: "Hold" }))
    }),
    release: Effect.sync(() => {
      isHeld = false
      toAll(({ dispatch }) => dispatch({ _tag: "Release" }))
    }),
    unstall: Effect.sync(() => toAll(({ unstall }) => unstall())),
    expireIn: (duration) =>
      Effect.sync(() => {
        const millis = Duration.toMillis(duration)
        toAll(({ inject }) => inject([{ _tag: "Expire", at: { _tag: "Elapsed", millis } }]))
      })
  }
  return {
    control,
    checked: plan(faults, () => undefined),
    takeFaults: () => {
      const taken = [...every, ...next]
      next = []
      return taken
    },
    takeReply: () => replies.shift(),
    takeWords: () => words.shift(),
    isHeld: () => isHeld
  }
}
