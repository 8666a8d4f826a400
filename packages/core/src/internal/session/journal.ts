/**
 * What a conversation writes to the log of its session: by one fiber, in order, as many records at once as wait.
 *
 * Whoever shows something to the world waits until the records before it are durable (`durable`). A store that fails is
 * tried again for a while; one that has been given up, or is not there, keeps nobody waiting.
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { BidiError, StoreFailed } from "../../BidiError.ts"
import { empty, type Restored } from "../../SessionLog.ts"
import type { Body } from "../../SessionRecord.ts"
import { type OnBusy, type Session, SessionStore } from "../../SessionStore.ts"
import { atMost } from "../conversation/shutdown.ts"
import { onInsideInterrupt } from "../conversation/insideInterrupt.ts"

/** What a conversation does when its store has failed for too long: it ends, or goes on without. */
export type OnStoreFailure = "end" | "goOn"

/** Whose log, and what to do where it is open elsewhere, or cannot be written. */
export interface JournalOptions {
  readonly sessionId: string
  readonly onBusy: OnBusy
  readonly onStoreFailure: OnStoreFailure
}

// A store that is behind by more records, or fails for longer, has failed.
const CAPACITY = 1024
const RETRY_FOR = 30_000

const FIRST_RETRY = 100
const LONGEST_RETRY = 2000

// For what is left to write at the end. What is not written then is an error.
const LAST_WRITES = "10 seconds"

const MISSED: ReadonlySet<Body["_tag"]> = new Set(["Entry", "Heard", "State", "Profile", "Approval"])

export interface Journal {
  /** Whether there is a log at all. */
  readonly on: boolean
  /** What the log held when it was opened. */
  readonly restored: Restored
  readonly write: (body: Body) => void
  /** Writes what there was before the conversation began, which says nothing about how far the store is behind. */
  readonly begin: (bodies: ReadonlyArray<Body>) => void
  /** Whether everything that was written is durable. */
  readonly isDurable: () => boolean
  /** Waits until everything that was written before is durable, or nobody has to wait for that any more. */
  readonly durable: Effect.Effect<void>
  readonly isClosed: () => boolean
  /** Writes what is left, in bounded time, once. Returns what is wrong with the log, if anything is. */
  readonly close: Effect.Effect<BidiError | undefined>
  /** What `onFailure` has heard of, when nobody knew yet how much will be missing. */
  readonly failure: () => BidiError | undefined
}

/** Of a session that is not kept. */
export const none: Journal = {
  on: false,
  restored: empty,
  write: () => {},
  begin: () => {},
  isDurable: () => true,
  durable: Effect.void,
  isClosed: () => true,
  close: Effect.succeed(undefined),
  failure: () => undefined
}

/** Who hears of what goes wrong. */
export interface Listeners {
  /** The conversation cannot go on. */
  readonly onFailure: (cause: Cause.Cause<BidiError>) => void
  /** The store fails, and is tried again; or the conversation goes on without it. */
  readonly onTrouble: (error: BidiError) => void
}

export const open = Effect.fnUntraced(function* (options: JournalOptions | undefined, listeners: Listeners) {
  const store = yield* SessionStore
  if (options === undefined || store === undefined) return none
  const session = yield* orFailed("opening the session", store.open(options.sessionId, options))
  const clock = yield* Clock.Clock
  return yield* make(session, options.onStoreFailure, listeners, () => clock.currentTimeMillisUnsafe())
})

const make = Effect.fnUntraced(function* (
  session: Session,
  onStoreFailure: OnStoreFailure,
  { onFailure, onTrouble }: Listeners,
  now: () => number
) {
  const waiting: Array<Body> = [] // from the first record that may not be durable on
  let written = 0
  let durable = 0
  let begun = 0 // of those that wait, what there was before the conversation began
  let failure: BidiError | undefined
  let trouble: BidiError | undefined // that it is tried again for
  let off = false // nothing is written any more
  let goesOn = false // without it
  let shutdown = false
  let verdict: { readonly error: BidiError | undefined } | undefined
  const waiters = new Map<() => void, number>()
  const more = yield* Latch.make(false)
  const scope = yield* Effect.scope

  const isDurable = () => durable === written || goesOn || verdict !== undefined

  const release = (until: number) => {
    for (const [resume, n] of waiters) {
      if (n > until) continue
      waiters.delete(resume)
      resume()
    }
  }

  const fail = (error: BidiError) => {
    if (failure !== undefined) return
    failure = error
    off = true
    onFailure(Cause.fail(error))
  }

  const giveUp = (error: BidiError) => {
    if (onStoreFailure === "end") return fail(error)
    off = true
    goesOn = true
    waiting.length = 0
    onTrouble(storeFailed(`${error.reason.message}: the conversation goes on, and is not written any more`))
    release(Infinity)
  }

  // A store that does not stop when it is told to is left behind.
  const inTime = Effect.fnUntraced(function* (appending: Effect.Effect<void, BidiError>) {
    const fiber = yield* Effect.forkIn(appending, scope, { startImmediately: true })
    const exit = fiber.pollUnsafe() ?? Option.getOrUndefined(yield* Effect.timeoutOption(Fiber.await(fiber), RETRY_FOR))
    if (exit !== undefined) return yield* exit
    fiber.interruptUnsafe()
    return yield* storeFailed(`the store has not taken it within ${RETRY_FOR / 1000} seconds`)
  })

  const append = Effect.gen(function* () {
    const records = waiting.slice()
    const appending = session.append(records as unknown as NonEmptyReadonlyArray<Body>)
    yield* inTime(orFailed("writing the session's log", appending))
    waiting.splice(0, records.length)
    durable += records.length
    begun = 0
    trouble = undefined
    release(durable)
  })

  const flush = Effect.gen(function* () {
    const since = now()
    for (let retry = FIRST_RETRY; ; retry = Math.min(2 * retry, LONGEST_RETRY)) {
      const exit = yield* Effect.exit(append)
      if (Exit.isSuccess(exit)) return
      const error = Option.getOrUndefined(Exit.findErrorOption(exit))
      if (error === undefined) return yield* exit
      if (error.reason._tag !== "StoreFailed") return fail(error)
      trouble = error
      if (off) return
      if (now() - since >= RETRY_FOR) return giveUp(error)
      if (retry === FIRST_RETRY) onTrouble(error)
      yield* Effect.logWarning("the session's log was not written, and is tried again", error.message)
      yield* Effect.sleep(retry)
    }
  })

  const work = Effect.gen(function* () {
    while (!off) {
      if (waiting.length > 0) {
        yield* flush
      } else if (shutdown) {
        return
      } else {
        more.closeUnsafe()
        yield* more.await
      }
    }
  })

  const writer = yield* work.pipe(
    Effect.catchCause((cause) =>
      Effect.sync(() => {
        off = true
        onFailure(cause as Cause.Cause<BidiError>)
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )

  const watchLost = Effect.catch(session.lost, (error) => Effect.sync(() => fail(error)))
  yield* Effect.forkScoped(watchLost, { startImmediately: true })

  const missing = (inTime: boolean): BidiError | undefined => {
    // what else is in the log says how the conversation went, and is not missed
    const missed = waiting.filter(({ _tag }) => MISSED.has(_tag))
    if (failure === undefined ? missed.length === 0 : failure.reason._tag !== "StoreFailed") return failure
    const lost = new Set(missed.flatMap((body) => (body._tag === "Entry" ? body.entry.id : []))).size
    const late = `the store did not take them within ${LAST_WRITES} of the end`
    const { code, message } = (failure ?? trouble)?.reason ?? {
      code: undefined,
      message: inTime ? "the store died" : late
    }
    return new BidiError({
      reason: new StoreFailed({
        message: `of the session's log, ${lost} ${lost === 1 ? "entry was" : "entries were"} not written: ${message}`,
        entries: lost,
        ...(code === undefined ? {} : { code })
      })
    })
  }

  const add = (bodies: ReadonlyArray<Body>) => {
    if (goesOn) return
    for (const body of bodies) waiting.push(body)
    written += bodies.length
    if (bodies.length > 0) more.openUnsafe()
  }

  return {
    on: true,
    restored: session.restored,
    begin: (bodies) => {
      add(bodies)
      begun += bodies.length
    },
    write: (body) => {
      add([body])
      if (waiting.length - begun > CAPACITY && !off) giveUp(storeFailed(`the store is ${CAPACITY} records behind`))
    },
    isDurable,
    durable: Effect.callback<void>((resume) => {
      if (isDurable()) return resume(Effect.void)
      const done = () => resume(Effect.void)
      waiters.set(done, written)
      return Effect.sync(() => waiters.delete(done))
    }),
    failure: () => failure,
    isClosed: () => shutdown,
    close: Effect.suspend(() => {
      if (verdict !== undefined) return Effect.succeed(verdict.error)
      shutdown = true
      more.openUnsafe()
      return Effect.map(off ? Effect.succeedNone : atMost(Fiber.await(writer), LAST_WRITES), (exit) => {
        verdict = { error: missing(Option.isSome(exit)) }
        release(Infinity)
        return verdict.error
      })
    })
  } satisfies Journal
})

const storeFailed = (message: string) => new BidiError({ reason: new StoreFailed({ message }) })

const orFailed = <A, R>(doing: string, effect: Effect.Effect<A, BidiError, R>) =>
  onInsideInterrupt(effect, () => Effect.fail(storeFailed(`${doing} was interrupted from within`)))
