/**
 * What the conversation remembers: the transcript, and its log in the session store.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { BidiError, StoreFailed } from "../../BidiError.ts"
import { SessionStore } from "../../SessionStore.ts"
import type { Entry } from "../../Transcript.ts"
import * as Transcript from "../../Transcript.ts"
import { atMost } from "../conversation/closing.ts"
import { onInsideInterrupt } from "../conversation/insideInterrupt.ts"
import * as WellFormed from "../conversation/wellFormed.ts"

// A few writes a turn: a store that falls this far behind is not working.
const LOG_CAPACITY = 1024

// For what is left to write at the end. What is not written then is an error.
const LAST_WRITES = "3 seconds"

export interface History {
  readonly transcript: () => Transcript.Transcript
  readonly get: (id: string) => Entry | undefined
  /** Remembers an entry, in the place of the one with its id. */
  readonly update: (entry: Entry) => void
  /** Remembers an entry and writes it to the session's log. */
  readonly put: (entry: Entry) => void
  /** Writes what is left, in bounded time, once. Answers what is wrong with the log, if anything is. */
  readonly close: Effect.Effect<BidiError | undefined>
  /** What `onFailure` has heard of, when nobody knew yet how much will be missing. */
  readonly failure: () => BidiError | undefined
}

/** `onFailure` hears of the store's error, or that it does not keep up. */
export const make = Effect.fnUntraced(function* (
  sessionId: string,
  initial: Transcript.Transcript,
  onFailure: (cause: Cause.Cause<BidiError>) => void
) {
  const store = yield* SessionStore
  const entries = new Map<string, Entry>()
  const log = yield* orFailed("loading the session", store.load(sessionId))
  for (const entry of log) entries.set(entry.id, WellFormed.entry(entry))

  // what was said elsewhere is written first; it says nothing about how far the store is behind
  let waiting: Array<Entry> = Transcript.additions(Array.from(entries.values()), initial.map(WellFormed.entry)).slice()
  for (const entry of waiting) entries.set(entry.id, entry)
  let loaded = waiting.length
  let writing: ReadonlyArray<Entry> = []
  let failure: BidiError | undefined
  let closing = false
  let verdict: { readonly error: BidiError | undefined } | undefined
  const more = yield* Latch.make(true)

  const put = (given: Entry) => {
    const entry = WellFormed.entry(given)
    entries.set(entry.id, entry)
    waiting.push(entry)
    more.openUnsafe()
    if (waiting.length - loaded > LOG_CAPACITY) fail(storeFailed(`the store is ${LOG_CAPACITY} entries behind`))
  }

  const fail = (error: BidiError) => {
    if (failure !== undefined) return
    failure = error
    onFailure(Cause.fail(error))
  }

  const write = Effect.gen(function* () {
    while (failure === undefined) {
      if (waiting.length > 0) {
        writing = waiting
        waiting = []
        loaded = 0
        yield* orFailed("writing the session's log", store.append(sessionId, writing))
        writing = []
      } else if (closing) {
        return
      } else {
        more.closeUnsafe()
        yield* more.await
      }
    }
  })

  const writer = yield* write.pipe(
    Effect.catchCause((cause) =>
      Effect.sync(() => {
        const error = Option.getOrUndefined(Cause.findErrorOption(cause))
        if (error === undefined) onFailure(cause)
        else fail(error)
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )

  const missing = (inTime: boolean): BidiError | undefined => {
    const lost = new Set([...writing, ...waiting].map((entry) => entry.id)).size
    if (lost === 0) return failure
    const late = `the store did not take them within ${LAST_WRITES} of the end`
    const { code, message } = failure?.reason ?? { code: undefined, message: inTime ? "the store died" : late }
    return new BidiError({
      reason: new StoreFailed({
        message: `of the session's log, ${lost} ${lost === 1 ? "entry was" : "entries were"} not written: ${message}`,
        entries: lost,
        ...(code === undefined ? {} : { code })
      })
    })
  }

  return {
    transcript: () => Array.from(entries.values()),
    get: (id) => entries.get(id),
    update: (entry) => void entries.set(entry.id, WellFormed.entry(entry)),
    put,
    failure: () => failure,
    close: Effect.suspend(() => {
      if (verdict !== undefined) return Effect.succeed(verdict.error)
      closing = true
      more.openUnsafe()
      return Effect.map(atMost(Fiber.await(writer), LAST_WRITES), (exit) => {
        verdict = { error: missing(Option.isSome(exit)) }
        return verdict.error
      })
    })
  } satisfies History
})

const storeFailed = (message: string) => new BidiError({ reason: new StoreFailed({ message }) })

const orFailed = <A>(doing: string, effect: Effect.Effect<A, BidiError>) =>
  onInsideInterrupt(effect, () => Effect.fail(storeFailed(`${doing} was interrupted from within`)))
