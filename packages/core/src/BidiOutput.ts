/**
 * Outputs: named consumers of a conversation's events.
 *
 * A conversation hands over every event at once and never waits for an output. Events that an output cannot handle yet
 * wait in its mailbox. The output chooses how large that is and what happens when it is full.
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
 * The mailbox of an output. When `capacity` events wait, `sliding` drops the oldest and `dropping` the newest (both are
 * counted by the metric `bidi_output_dropped`); `fail` ends the conversation with `ConsumerTooSlow`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mailbox {
  readonly capacity: number
  readonly strategy: "sliding" | "dropping" | "fail"
}

/**
 * Whether an output plays audio to a person, and how the conversation knows how much was heard:
 *
 * - `"none"`: it plays nothing.
 * - `"remote"`: it plays elsewhere (a browser, a phone). It is assumed to play in real time, starting from its last
 *   `PlaybackReport`. Reports may be rare, stop or be wrong: the assumed position is never more than five seconds behind
 *   real time, and never ahead of what was sent.
 * - A function: returns how much audio has been played since the output was opened, without what is still in the device.
 *
 * @category models
 * @since 0.1.0
 */
export type Playback = "none" | "remote" | (() => Duration.Duration)

/**
 * An opened output, as the conversation uses it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connected<out E = never> {
  /**
   * Accepts an event. Returns at once and never throws. It may wake fibers, but must not run them in its own stack, because
   * they would act before the other outputs have this event.
   */
  readonly offer: (event: Output) => void
  /** Goes silent at once: drops all audio that has not been played, including the rest of a partly played frame. */
  readonly flush: Effect.Effect<void>
  readonly playback: Playback
  /** Pauses at once and keeps the audio that waits. Omitted if the output cannot pause. */
  readonly pause?: Effect.Effect<void>
  /** Continues where it paused. */
  readonly resume?: Effect.Effect<void>
  /** The work of the output, run in its own fiber. It ends after `end`, or fails with the output's error. */
  readonly run: Effect.Effect<void, E>
  /** No more events will come; finish the mailbox. */
  readonly end: Effect.Effect<void>
}

/**
 * A named consumer of the events whose tags are in `events`, in the order of the conversation.
 *
 * @category models
 * @since 0.1.0
 */
export interface BidiOutput<out E = never, out R = never> {
  readonly name: string
  readonly events: ReadonlyArray<OutputTag>
  readonly open: Effect.Effect<Connected<E>, E, R | Scope.Scope>
}

/**
 * A device that plays audio. Its buffer must hold the longest reply, because models generate minutes of speech in
 * seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Speaker<out E = never> {
  /** Appends a frame to the buffer. Returns at once and never throws. */
  readonly play: (frame: AudioStream) => void
  /** Goes silent at once: empties the buffer and cuts the partly played frame. */
  readonly flush: Effect.Effect<void>
  /** How much has been played since it was opened, without what is still in the device. */
  readonly played: () => Duration.Duration
  /** Pauses and keeps the buffer. Omitted if the device cannot pause. */
  readonly pause?: Effect.Effect<void>
  readonly resume?: Effect.Effect<void>
  /** Never succeeds. Fails when the device is lost for good. */
  readonly failure?: Effect.Effect<never, E>
}

/**
 * The tags of all events except `AudioStream`, `Reasoning` and `Unknown`.
 *
 * @category models
 * @since 0.1.0
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
 * Makes an output that handles one event after the other in its own fiber. `open` acquires what it needs and returns the
 * handler. `events` defaults to {@link withoutAudio}, `mailbox` to 1024 events, sliding. An output that handles
 * `AudioStream` is taken for a `"remote"` player, unless `plays` is `false`.
 *
 * @category constructors
 * @since 0.1.0
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
 * Makes an output that needs no resources. See {@link makeScoped}.
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
 * @since 0.1.0
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
 * Makes an output that plays audio on a device. Frames go into the buffer of the device directly, without a fiber.
 *
 * @category constructors
 * @since 0.1.0
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
      // bound, not wrapped: with hundreds of sessions, every object that a frame passes is a cache miss
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
    const message = `the output "${name}" fell behind: all ${capacity} places of its mailbox are taken`
    const reason = new ConsumerTooSlow({ message, consumer: name, capacity })
    Deferred.doneUnsafe(overflown, Exit.fail(new BidiError({ reason })))
  }

  // an event stays in the mailbox until it is handled, so that a flush can drop it
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
    // with `fail`, a handler that is stuck must not hold up the failure
    run: strategy === "fail" ? Effect.raceFirst(work, Deferred.await(overflown)) : work,
    end: Effect.sync(() => inbox.done(Exit.fail(Cause.Done())))
  } satisfies Connected<E | BidiError>
})

/**
 * The error of an output.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Error<T> = T extends BidiOutput<infer E, infer _R> ? E : never

/**
 * The services of an output.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Services<T> = T extends BidiOutput<infer _E, infer R> ? R : never
