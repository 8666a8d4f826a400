// Channels of your own. An input is a stream of events; an output handles events, one after the other.
// Here a list of questions goes in, and an audio file with subtitles comes out.
import { Audio, type BidiEvent, BidiAgent, BidiInput, BidiOutput, CurrentConversation } from "@effect-bidi/core"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Duration, Effect, FileSystem, Stream } from "effect"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const questions = BidiInput.make(
  "questions",
  Stream.make("What time is it?", "Tell me something about yourself.").pipe(
    Stream.tap(() => Effect.flatMap(CurrentConversation.CurrentConversation, ({ awaitIdle }) => awaitIdle)),
    Stream.map((text): BidiEvent.Input => ({ _tag: "TextInput", text, role: "user" }))
  )
)

/** Writes what the agent says to `file`, and prints a subtitle for each sentence. Nobody listens, so nothing `plays`. */
const recording = (file: string) =>
  BidiOutput.makeScoped("recording", {
    events: ["AudioStream", "TranscriptStream"],
    plays: false,
    mailbox: { capacity: 10_000, strategy: "fail" }, // a hole in a recording is worse than an error
    open: Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const sound = yield* fs.open(file, { flag: "w" }) // closed with the conversation
      const { model } = yield* CurrentConversation.CurrentConversation
      let bytes = 0
      return Effect.fnUntraced(function* (event: BidiEvent.OutputOf<"AudioStream" | "TranscriptStream">) {
        if (event._tag === "AudioStream") {
          yield* sound.writeAll(event.audio)
          bytes += event.audio.length
        } else if (event.role === "assistant" && event.isFinal) {
          yield* Console.log(`${Duration.format(Audio.duration(model.output, bytes))}  ${event.currentTranscript}`)
        }
      })
    })
  })

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ instructions: "You are a helpful voice assistant." })
  const fs = yield* FileSystem.FileSystem
  const file = `${yield* fs.makeTempDirectory({ prefix: "effect-bidi-" })}/talk.pcm`
  const reason = yield* agent.run({ inputs: [questions], outputs: [recording(file)] })
  yield* Console.log(`${reason}; listen to it: ffplay -f s16le -ar 24000 ${file}`)
})

Main.pipe(Effect.provide([ModelFromEnvironment, Logging, NodeServices.layer]), NodeRuntime.runMain)
