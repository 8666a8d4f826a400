/**
 * The official client understands the emulator.
 */
import { assert, it } from "@effect/vitest"
import { BedrockRuntimeClient, InvokeModelWithBidirectionalStreamCommand } from "@aws-sdk/client-bedrock-runtime"
import { NodeHttp2Handler } from "@smithy/node-http-handler"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import {
  audio,
  audioStart,
  block,
  callsIn,
  clock,
  contentEnd,
  of,
  promptEnd,
  promptStart,
  result,
  saidIn,
  sessionEnd,
  sessionStart,
  tools,
  words
} from "../support/nova.ts"
import type { Json } from "../support/nova.ts"
import { phrase, quiet } from "../support/sound.ts"

const quick: NovaEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }

/** A stream through the SDK: what goes in, and what comes out. */
const connect = Effect.fnUntraced(function* (url: string, model = "amazon.nova-2-sonic-v1:0") {
  const input = yield* Queue.unbounded<Json>()
  const abort = new AbortController()
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: url,
    credentials: { accessKeyId: "AKID", secretAccessKey: "any", sessionToken: "any" },
    requestHandler: new NodeHttp2Handler(),
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      abort.abort()
      client.destroy()
    })
  )
  const body = Stream.toAsyncIterable(
    Stream.fromQueue(input).pipe(
      Stream.takeUntil((event) => event.event.sessionEnd !== undefined),
      Stream.map((event) => ({ chunk: { bytes: Buffer.from(JSON.stringify(event)) } }))
    )
  )
  const send = (...events: ReadonlyArray<Json>) => Queue.offerAll(input, events)
  // the SDK answers with the first event only, so whoever sends must not wait for it
  const command = new InvokeModelWithBidirectionalStreamCommand({ modelId: model, body })
  const pending = client.send(command, { abortSignal: abort.signal })
  pending.catch(() => {})
  const output = Effect.gen(function* () {
    const response = yield* Effect.tryPromise(() => pending)
    return Stream.fromAsyncIterable(response.body!, (cause) => new Cause.UnknownError(cause)).pipe(
      Stream.map(({ chunk }) => JSON.parse(Buffer.from(chunk!.bytes!).toString()) as Json)
    )
  })
  return { send, output }
})

it.effect("connects, talks, hears, calls a tool, and ends in order", () =>
  Effect.gen(function* () {
    const emulator = yield* NovaEmulator.make(quick)
    const { output, send } = yield* connect(emulator.url)
    yield* send(
      sessionStart(),
      promptStart(tools(clock)),
      ...block("SYSTEM", "Be brief."),
      audioStart(),
      ...words("my name is Ada")
    )
    const said = Pcm.resample(Pcm.concat([quiet(200), phrase("what time is it"), quiet(1800)]), 16_000)
    const events: Array<Json> = []
    let ends = 0
    yield* (yield* output).pipe(
      Stream.runForEach((event) =>
        Effect.gen(function* () {
          events.push(event)
          const [call] = callsIn([event])
          if (call !== undefined) return yield* send(...result(call, { time: "10:42" }))
          const [end] = of([event], "contentEnd")
          if (end?.type !== "TEXT" || end.stopReason !== "END_TURN") return
          yield* ends++ === 0 ? send(...audio(said)) : send(contentEnd("audio"), promptEnd, sessionEnd)
        })
      )
    )
    assert.strictEqual(saidIn(events), "Nice to meet you, Ada. It is 10:42.")
    assert.isDefined(events.at(-1)!.event.completionEnd)
    yield* emulator.awaitConnections(0)
  })
)

it.effect("is told why not: before, at first and later", () =>
  Effect.gen(function* () {
    const emulator = yield* NovaEmulator.make(quick)
    const failure = Effect.fnUntraced(function* (...faults: ReadonlyArray<Fault.Fault>) {
      yield* emulator.control.onNextConnection(...faults)
      const { output, send } = yield* connect(emulator.url)
      yield* send(sessionStart(), promptStart(), audioStart(), ...words("hello"))
      const error = yield* Effect.flatMap(output, Stream.runDrain).pipe(Effect.flip)
      return (error.cause as Error).name
    })
    assert.strictEqual(yield* failure(Fault.refuse(429)), "ThrottlingException")
    assert.strictEqual(yield* failure(Fault.refuse(403, { code: "ExpiredTokenException" })), "ExpiredTokenException")
    assert.strictEqual(yield* failure(Fault.exception("validationException", "no")), "ValidationException")
    const later = Fault.exception("modelTimeoutException", "no", { at: Fault.afterSent("audioOutput", 3) })
    assert.strictEqual(yield* failure(later), "ModelTimeoutException")
  })
)
