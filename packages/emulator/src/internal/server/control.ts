/**
 * The control over an emulator: planned faults, transcripts and replies.
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
  /** Dies when the provider cannot produce one of the initial faults. */
  readonly checkInitialFaults: Effect.Effect<void>
  /** The faults of a new connection. Those of the next connection are used up. */
  readonly takeFaults: () => ReadonlyArray<Fault>
  readonly takeReply: () => Reply | undefined
  readonly takeTranscript: () => string | undefined
  readonly isHeld: () => boolean
}

/** Starts with these faults for every connection. */
export const make = (
  live: ReadonlyMap<number, Connection>,
  provider: Pick<Provider<never>, "faults">,
  faults: ReadonlyArray<Fault>
): Plans => {
  const replies: Array<Reply> = []
  const transcripts: Array<string> = []
  let next: ReadonlyArray<Fault> = []
  let every = faults
  let isHeld = false

  // a test must not rely on a fault that never happens
  const plan = <A>(faults: ReadonlyArray<Fault>, effect: () => A): Effect.Effect<A> =>
    Effect.suspend(() => {
      const unknown = faults.find(({ _tag }) => !provider.faults.has(_tag))
      return unknown === undefined
        ? Effect.sync(effect)
        : Effect.die(new Error(`This provider cannot produce the fault ${unknown._tag}`))
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
    nextTranscript: (text) => Effect.sync(() => void transcripts.push(text)),
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
    checkInitialFaults: plan(faults, () => undefined),
    takeFaults: () => {
      const taken = [...every, ...next]
      next = []
      return taken
    },
    takeReply: () => replies.shift(),
    takeTranscript: () => transcripts.shift(),
    isHeld: () => isHeld
  }
}
