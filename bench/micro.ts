/**
 * What one frame costs in the runtime alone: conversations with a model that has no wire. Runs in a process of its own.
 */
import * as Audio from "@effect-bidi/core/Audio"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import { Inbox, type Consume, takeStream } from "@effect-bidi/core/adapter/Inbox"
import type { AudioInput, AudioStream } from "@effect-bidi/core/BidiEvent"
import * as BidiJson from "@effect-bidi/core/BidiJson"
import { BidiModel, type ModelEvent } from "@effect-bidi/core/BidiModel"
import * as BidiOutput from "@effect-bidi/core/BidiOutput"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { answer } from "./child.ts"
import * as Frame from "./frame.ts"
import { Source } from "./source.ts"
import { hotLoop, oneByOne } from "./stopwatch.ts"

/** Nanoseconds per frame. */
export interface MicroReport {
  readonly name: string
  /** Frames come in batches, and the loop never waits. */
  readonly hot: number
  /** Every frame comes alone, to somebody who waits for it. */
  readonly alone?: number
}

/** Has frames taken, for ever. */
type Frames<A> = (take: Consume<A>) => Effect.Effect<never>

const MAILBOX = 25
const format = Audio.pcm(Frame.SAMPLE_RATE)
const audio = Frame.bytes(0)

const converse = Effect.fnUntraced(function* (options: {
  readonly events: Frames<ModelEvent>
  readonly frames: Frames<AudioInput>
  readonly sent: () => void
  readonly played: () => void
}) {
  let played = 0
  const agent = yield* BidiAgent.make({}).pipe(
    Effect.provideService(BidiModel, {
      provider: "bench",
      model: "still",
      input: format,
      output: format,
      capabilities: {
        truncation: true,
        images: true,
        manualTurns: false,
        resumption: false,
        overlap: true,
        midSessionUpdate: true
      },
      limits: {},
      connect: () =>
        Effect.succeed({
          id: "still",
          expiresAt: undefined,
          seed: () => Effect.void,
          send: () => Effect.void,
          sendAudio: () => {
            options.sent()
            return true
          },
          listen: options.events
        })
    })
  )
  yield* agent.start({
    inputs: [{ name: "microphone", run: options.frames }],
    outputs: [
      BidiOutput.speaker(
        "speaker",
        Effect.succeed({
          play: () => {
            played++
            options.played()
          },
          flush: Effect.void,
          played: () => Duration.millis(played * Frame.FRAME_MILLIS)
        })
      )
    ]
  })
  // until the connection takes frames
  yield* Effect.sleep("20 millis")
})

const delta: ModelEvent = { _tag: "AudioDelta", responseId: "resp_1", itemId: "item_1", audio }
const input: AudioInput = { _tag: "AudioInput", audio, ...format }

// Hot, and one by one.
const measure = <A, E>(
  name: string,
  frame: A,
  path: (frames: Frames<A>, arrived: () => void) => Effect.Effect<unknown, E, Scope.Scope>,
  single: (inbox: Inbox<A>) => Frames<A> = (inbox) => (take) => inbox.forEach(take)
) =>
  Effect.gen(function* () {
    const batches = new Source(frame)
    const singles = new Inbox<A>(MAILBOX, "sliding")
    const hot = yield* hotLoop(Source.BATCH * 2000, (arrived) =>
      Effect.as(path(forever(batches.stream), arrived), { offer: (count) => batches.emit(count) })
    )
    const alone = yield* oneByOne(20_000, (arrived) =>
      Effect.as(path(single(singles), arrived), { offer: () => singles.offer(frame) })
    )
    return { name, hot, alone } satisfies MicroReport
  })

const forever =
  <A>(stream: Stream.Stream<A>): Frames<A> =>
  (take) =>
    Effect.andThen(takeStream(stream, take), Effect.never)

const silent = () => Effect.never

const down = measure("down: from the connection to the speaker", delta, (events, played) =>
  converse({ events, frames: silent, sent: () => {}, played })
)

const up = measure("up: from the microphone to the connection", input, (frames, sent) =>
  converse({ events: silent, frames, sent, played: () => {} })
)

// What anybody pays who wakes a fiber for a frame.
const stream = measure(
  "for comparison: a stream with nothing behind it",
  input,
  (frames, arrived) =>
    Effect.forkScoped(
      frames(() => void arrived()),
      { startImmediately: true }
    ),
  (inbox) => forever(Stream.fromPull(Effect.succeed(inbox.takeAll)))
)

const event: AudioStream = { _tag: "AudioStream", responseId: "resp_1", itemId: "item_1", audio, at: 0, ...format }
const encode = Schema.encodeSync(BidiJson.OutputFromString)
const decode = Schema.decodeSync(BidiJson.OutputFromString)
const text = encode(event)
const base64 = () => Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength).toString("base64")

const plain = (name: string, work: () => unknown) =>
  Effect.map(
    hotLoop(10_000, (arrived) =>
      Effect.succeed({
        offer: (count) => {
          for (let i = 0; i < count; i++) {
            work()
            arrived()
          }
        }
      })
    ),
    (hot) => ({ name, hot }) satisfies MicroReport
  )

const all: Effect.Effect<ReadonlyArray<MicroReport>, unknown> = Effect.all([
  down,
  up,
  stream,
  plain("an `AudioStream` to JSON", () => encode(event)),
  plain("for comparison: `JSON.stringify` and base64", () => JSON.stringify({ ...event, audio: base64() })),
  plain("an `AudioStream` from JSON", () => decode(text)),
  plain("for comparison: `JSON.parse` and base64", () => Buffer.from(JSON.parse(text).audio, "base64"))
])

answer({ measure: () => Effect.runPromise(all), stop: () => {} })
