// Push to talk: the application, not the model, decides when the user's turn begins and ends.
import { Audio, BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { Pcm, Voice } from "@effect-bidi/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Duration, Effect, Schedule, Stream } from "effect"
import { Logging, modelFromEnvironment } from "./environment.ts"

/** What the microphone hears while somebody says this: frames of 20 ms, in real time. */
const microphone = (format: Audio.AudioFormat, text: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const voice = yield* Voice.auto
      const { pcm } = yield* voice.speak(text, { speed: 1, voice: "" })
      const sound = Pcm.toBytes(Pcm.resample(pcm, format.sampleRate).samples)
      const size = Audio.bytes(format, "20 millis")
      return Stream.range(0, Math.ceil(sound.length / size) - 1).pipe(
        Stream.schedule(Schedule.spaced("20 millis")),
        Stream.map((n) => ({ _tag: "AudioInput", ...format, audio: sound.slice(n * size, (n + 1) * size) }) as const)
      )
    })
  )

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ instructions: "You are a helpful voice assistant. Keep responses concise." })
  const speaker = yield* BidiTest.speaker() // plays in real time, without a sound card
  const call = yield* agent.start({ outputs: [speaker.output, BidiConsole.output()] })

  /** The button goes down, somebody speaks, and the button goes up; or the person thinks better of it. */
  const press = Effect.fnUntraced(function* (text: string, end: "TurnCommit" | "TurnClear") {
    yield* Console.log(`\n● ${text} ${end === "TurnCommit" ? "(sent)" : "(taken back)"}`)
    yield* call.send({ _tag: "TurnStart" }) // also silences the agent
    yield* Stream.runForEach(microphone(call.model.input, text), call.send)
    const commit = call.send({ _tag: "TurnCommit" })
    if (end === "TurnCommit") return yield* commit
    // not every provider can forget what it has heard
    yield* call.send({ _tag: "TurnClear" }).pipe(Effect.catchReason("BidiError", "Unsupported", () => commit))
  })

  yield* press("my name is Ada", "TurnCommit")
  yield* call.awaitIdle
  yield* press("stop", "TurnClear")
  yield* call.awaitIdle
  yield* press("tell me a long story", "TurnCommit")
  const before = Duration.toSeconds(speaker.played())
  const heardEnough = Effect.sync(() => Duration.toSeconds(speaker.played()) - before >= 3)
  yield* Effect.repeat(Effect.delay(heardEnough, "100 millis"), { until: (enough) => enough })
  yield* press("what is my name", "TurnCommit") // while the agent tells its story
  yield* call.awaitIdle
}).pipe(Effect.scoped)

Main.pipe(Effect.provide([modelFromEnvironment({ turns: "manual" }), Logging]), NodeRuntime.runMain)
