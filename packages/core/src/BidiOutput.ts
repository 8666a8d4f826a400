/**
 * An output: a named consumer of a conversation's events, with a mailbox it declares itself.
 *
 * A conversation hands every event over at once and never waits for an output. What an output cannot take yet waits in
 * its mailbox; what happens when that is full is the output's own choice.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import { BidiError, ConsumerTooSlow } from "./BidiError.ts"
import type { AudioStream, Output, OutputOf, OutputTag } from "./BidiEvent.ts"
import { Inbox } from "./adapter/Inbox.ts"

/**
 * Events that do not fit into a mailbox of `capacity` events: `sliding` drops the oldest, `dropping` the newest (both
 * are counted in the metric `bidi_output_dropped`), `fail` ends the conversation with `ConsumerTooSlow`.
 *
 * @category models
 */
export interface Mailbox {
  readonly capacity: number
  readonly strategy: "sliding" | "dropping" | "fail"
}

/**
 * Whether a person hears this output, and how one knows how much: `"none"` plays nothing; `"remote"` plays out of
 * sight (a browser, a phone): in real time, as is thought, from where a `PlaybackReport` input said last that it was.
 * Reports may come seldom, stop or be wrong: a remote output is never thought to be more than five seconds behind real
 * time, nor ahead of what it was sent. A function answers how much audio was played since the output was opened, less
 * what still sits in the device.
 *
 * @category models
 */
export type Playback = "none" | "remote" | (() => Duration.Duration)

/**
 * An opened output, as the conversation drives it.
 *
 * @category models
 */
export interface Connected<out E = never> {
  /**
   * Takes an event. Returns at once and never throws. It may wake fibers, but not run them in its own stack: what they do
   * would come before others have this event.
   */
  readonly offer: (event: Output) => void
  /** Silence now: drops all audio that was not played yet, the partly played chunk included. */
  readonly flush: Effect.Effect<void>
  readonly playback: Playback
  /** Stops playing for a while, at once; what waits stays. Left out: it cannot. */
  readonly pause?: Effect.Effect<void>
  /** Goes on playing where it was paused. */
  readonly resume?: Effect.Effect<void>
  /** The work of the output, run in a fiber of its own. It ends after `end`, or fails with the output's error. */
  readonly run: Effect.Effect<void, E>
  /** No more events will come: finish what is in the mailbox. */
  readonly end: Effect.Effect<void>
}

/**
 * A named consumer. It gets the events named in `events`, in the order of the conversation.
 *
 * @category models
 */
export interface BidiOutput<out E = never, out R = never> {
  readonly name: string
  readonly events: ReadonlyArray<OutputTag>
  readonly open: Effect.Effect<Connected<E>, E, R | Scope.Scope>
}

/**
 * A device that plays audio and has a buffer of its own, large enough for the longest reply: models produce minutes of
 * speech in seconds.
 *
 * @category models
 */
export interface Speaker<out E = never> {
  /** Puts a frame behind those that wait. Returns at once and never throws. */
  readonly play: (frame: AudioStream) => void
  /** Silence now: forgets what waits, and cuts the partly played frame. */
  readonly flush: Effect.Effect<void>
  /** How much was played in all since it was opened, less what still sits in the device. */
  readonly played: () => Duration.Duration
  /** Silence for a while; what waits stays. Left out: it cannot pause. */
  readonly pause?: Effect.Effect<void>
  readonly resume?: Effect.Effect<void>
  /** Never succeeds; fails when the device is lost for good. */
  readonly failure?: Effect.Effect<never, E>
}

/**
 * Every event except the frames of audio, what the model thinks, and what the provider says that nobody here knows.
 *
 * @category models
 */
export const withoutAudio = [
  "ConnectionStart",
  "ConnectionWarning",
  "ConnectionRestart",
  "HistoryTrimmed",
  "ConnectionClose",
  "ResponseStart",
  "ResponseComplete",
  "TranscriptStream",
  "UserSpeech",
  "UserIdle",
  "Interruption",
  "Handoff",
  "ToolUse",
  "ToolProgress",
  "ToolResult",
  "ApprovalRequest",
  "ApprovalResolved",
  "Usage",
  "Error"
] as const satisfies ReadonlyArray<OutputTag>

const defaultMailbox: Mailbox = { capacity: 1024, strategy: "sliding" }

const dropped = Metric.counter("bidi_output_dropped", {
  description: "Events an output did not get because its mailbox was full",
  incremental: true
})

/**
 * An output that handles one event after the other in its own fiber. `open` acquires what it needs and answers the
 * handler. `events` defaults to all but audio; `mailbox` to 1024 events, sliding. One that takes `AudioStream` is
 * thought to play it to a person somewhere, unless `plays` is `false`.
 *
 * @category constructors
 */
export const makeScoped = <
  const Tags extends ReadonlyArray<OutputTag> = typeof withoutAudio,
  E = never,
  R = never,
  EH = never
>(
  name: string,
  options: {
    readonly events?: Tags
    readonly mailbox?: Mailbox
    readonly plays?: boolean
    readonly open: Effect.Effect<(event: OutputOf<Tags[number]>) => Effect.Effect<void, EH>, E, R>
  }
): BidiOutput<E | EH | BidiError, Exclude<R, Scope.Scope>> => {
  const events: ReadonlyArray<OutputTag> = options.events ?? withoutAudio
  return {
    name,
    events,
    open: Effect.gen(function* () {
      const handle = yield* options.open
      const playback = events.includes("AudioStream") && options.plays !== false ? "remote" : "none"
      const mailbox = options.mailbox ?? defaultMailbox
      return yield* connected(name, mailbox, playback, handle as (event: Output) => Effect.Effect<void, EH>)
    }) as Effect.Effect<Connected<E | EH | BidiError>, E, Exclude<R, Scope.Scope> | Scope.Scope>
  }
}

/**
 * An output that needs nothing opened. See {@link makeScoped}.
 *
 * @example
 * ```ts
 * const captions = BidiOutput.make("captions", {
 *   events: ["TranscriptStream"],
 *   handle: (event) => Console.log(`${event.role}: ${event.delta}`)
 * })
 * ```
 *
 * @category constructors
 */
export const make = <const Tags extends ReadonlyArray<OutputTag> = typeof withoutAudio, E = never, R = never>(
  name: string,
  options: {
    readonly events?: Tags
    readonly mailbox?: Mailbox
    readonly plays?: boolean
    readonly handle: (event: OutputOf<Tags[number]>) => Effect.Effect<void, E, R>
  }
): BidiOutput<E | BidiError, R> => {
  const output = makeScoped(name, {
    ...options,
    open: Effect.succeed(options.handle as (event: OutputOf<Tags[number]>) => Effect.Effect<void, E>)
  })
  return {
    ...output,
    open: Effect.flatMap(Effect.context<R>(), (context) =>
      Effect.map(output.open, (sink) => ({ ...sink, run: Effect.provideContext(sink.run, context) }))
    )
  }
}

/**
 * An output that plays audio on a device. The device's own buffer is its mailbox, so a frame costs no fiber.
 *
 * @category constructors
 */
export const speaker = <E = never, R = never>(
  name: string,
  open: Effect.Effect<Speaker<E>, E, R>
): BidiOutput<E, Exclude<R, Scope.Scope>> => ({
  name,
  events: ["AudioStream"],
  open: Effect.gen(function* () {
    const device = yield* open
    const ended = yield* Latch.make()
    return {
      // bound: at hundreds of sessions, each thing that a frame passes on its way to the device is out of the cache
      offer: device.play.bind(device) as (event: Output) => void,
      flush: device.flush,
      playback: device.played,
      ...(device.pause === undefined ? {} : { pause: device.pause }),
      ...(device.resume === undefined ? {} : { resume: device.resume }),
      run: device.failure === undefined ? ended.await : Effect.raceFirst(ended.await, device.failure),
      end: Effect.andThen(device.flush, ended.open)
    } satisfies Connected<E>
  }) as Effect.Effect<Connected<E>, E, Exclude<R, Scope.Scope> | Scope.Scope>
})

const connected = Effect.fnUntraced(function* <E>(
  name: string,
  { capacity, strategy }: Mailbox,
  playback: Playback,
  handle: (event: Output) => Effect.Effect<void, E>
) {
  const inbox = new Inbox<Output, Cause.Done>(capacity, strategy === "sliding" ? "sliding" : "dropping")
  const overflown = yield* Deferred.make<never, BidiError>()
  const context = yield* Effect.context<never>()
  const count = Metric.withAttributes(dropped, { output: name })

  const overflow = () => {
    if (strategy !== "fail") return count.updateUnsafe(1, context)
    const message = `the output "${name}" is ${capacity} events behind`
    const reason = new ConsumerTooSlow({ message, consumer: name, capacity })
    Deferred.doneUnsafe(overflown, Exit.fail(new BidiError({ reason })))
  }

  // an event stays in the mailbox until it is handled: until then a flush can drop it
  const work = inbox.take.pipe(
    Effect.flatMap(handle),
    Effect.forever({ disableYield: true }),
    Pull.catchDone(() => Effect.void)
  )

  return {
    offer: (event) => {
      if (!inbox.offer(event)) overflow()
    },
    flush: Effect.sync(() => inbox.retain(({ _tag }) => _tag !== "AudioStream")),
    playback,
    // one that may lose nothing does not get to finish what it is stuck in
    run: strategy === "fail" ? Effect.raceFirst(work, Deferred.await(overflown)) : work,
    end: Effect.sync(() => inbox.done(Exit.fail(Cause.Done())))
  } satisfies Connected<E | BidiError>
})

/**
 * @category utility types
 */
export type Error<T> = T extends BidiOutput<infer E, infer _R> ? E : never

/**
 * @category utility types
 */
export type Services<T> = T extends BidiOutput<infer _E, infer R> ? R : never
