#!/usr/bin/env node
/**
 * The emulator as a program: `pnpm emulator --port 8790`. Prints where to point a client, then what comes in and goes out.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Fault from "./Fault.ts"
import * as Trace from "./internal/emulator/trace.ts"
import * as OpenAiEmulator from "./OpenAiEmulator.ts"

const flags = {
  port: Flag.Int("port").pipe(Flag.withDescription("Port to listen on; 0 takes any free one"), Flag.withDefault(8790)),
  host: Flag.String("host").pipe(Flag.withDescription("Address to listen on"), Flag.withDefault("127.0.0.1")),
  speed: Flag.Finite("speed").pipe(
    Flag.filter(
      (speed) => speed > 0,
      () => "The speed must be more than 0"
    ),
    Flag.withDescription("How many times faster than real time replies are generated"),
    Flag.withDefault(8)
  ),
  sessionSeconds: Flag.Finite("session-seconds").pipe(
    Flag.filter(
      (seconds) => seconds > 0,
      () => "A session lasts more than 0 seconds"
    ),
    Flag.withDescription("How long a session may last"),
    Flag.withDefault(3600)
  ),
  voice: Flag.Literals("voice", ["auto", "tones", "espeak"]).pipe(
    Flag.withDescription("auto speaks through espeak-ng when it is on the PATH, else in tones"),
    Flag.withDefault("auto")
  ),
  key: Flag.String("key").pipe(Flag.withDescription("The only API key that is let in"), Flag.optional),
  quiet: Flag.Boolean("quiet").pipe(Flag.withAlias("q"), Flag.withDescription("No trace"), Flag.withDefault(false)),
  refuse: Flag.Int("refuse").pipe(
    Flag.withDescription("Refuses every handshake with this HTTP status, such as 401, 429 or 503"),
    Flag.optional
  ),
  mute: Flag.Boolean("mute").pipe(Flag.withDescription("Accepts and never answers"), Flag.withDefault(false)),
  slowMs: Flag.Int("slow-ms").pipe(Flag.withDescription("Every server event is late by this much"), Flag.optional),
  dropAfter: Flag.Int("drop-after").pipe(
    Flag.withDescription("Drops every connection after this many audio deltas, without a close frame"),
    Flag.optional
  ),
  closeAfter: Flag.Int("close-after").pipe(
    Flag.withDescription("Closes every connection after this many audio deltas with --close-code"),
    Flag.optional
  ),
  closeCode: Flag.Int("close-code").pipe(Flag.withDescription("Code for --close-after"), Flag.withDefault(1011)),
  stallAfter: Flag.Int("stall-after").pipe(
    Flag.withDescription("Stops reading and writing after this many audio deltas"),
    Flag.optional
  )
}

type Flags = {
  readonly refuse: Option.Option<number>
  readonly mute: boolean
  readonly slowMs: Option.Option<number>
  readonly dropAfter: Option.Option<number>
  readonly closeAfter: Option.Option<number>
  readonly closeCode: number
  readonly stallAfter: Option.Option<number>
}

const afterDeltas = (count: number): Fault.Moment => Fault.afterSent("response.output_audio.delta", count)

const faultsOf = (flags: Flags): ReadonlyArray<Fault.Fault> => [
  ...Option.toArray(
    Option.map(flags.refuse, (status) => Fault.refuse(status, status === 429 ? { retryAfterSeconds: 1 } : {}))
  ),
  ...(flags.mute ? [Fault.mute()] : []),
  ...Option.toArray(Option.map(flags.slowMs, (ms) => Fault.slow(ms))),
  ...Option.toArray(Option.map(flags.dropAfter, (count) => Fault.drop(afterDeltas(count)))),
  ...Option.toArray(
    Option.map(flags.closeAfter, (count) => Fault.close(flags.closeCode, "on demand", afterDeltas(count)))
  ),
  ...Option.toArray(Option.map(flags.stallAfter, (count) => Fault.stall(afterDeltas(count))))
]

const command = Command.make(
  "emulator",
  flags,
  Effect.fnUntraced(function* (flags) {
    const emulator = yield* OpenAiEmulator.make({
      host: flags.host,
      port: flags.port,
      speed: flags.speed,
      session: flags.sessionSeconds * 1000,
      voice: flags.voice,
      faults: faultsOf(flags),
      log: { entries: 2000 },
      ...(Option.isSome(flags.key) ? { apiKeys: [flags.key.value] } : {})
    })
    yield* Console.log(`OpenAI Realtime emulator at ${emulator.url}`)
    yield* Console.log(
      `Point a client at it: OPENAI_BASE_URL=${emulator.url} OPENAI_API_KEY=any, or ${emulator.url.replace("http", "ws")}/realtime?model=gpt-realtime-2.1`
    )
    if (flags.quiet) return yield* Effect.never
    return yield* emulator.entries.pipe(
      Stream.mapAccum(
        () => Trace.initial,
        (state, entry) => Trace.step(state, entry)
      ),
      Stream.runForEach((text) => Console.log(text))
    )
  }, Effect.scoped)
).pipe(Command.withDescription("A scripted stand-in for the provider's side of realtime speech, with faults on demand"))

const explain = (error: { readonly _tag: string; readonly message: string }): Effect.Effect<void> =>
  Console.error(error.message)

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.tapErrorTag("ListenError", explain),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
