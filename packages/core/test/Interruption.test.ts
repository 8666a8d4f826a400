import { BidiAgent, type BidiEvent, BidiOutput, Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { agentWith } from "./support/agent.ts"

const story = "one two three four five six seven eight nine ten"

/** An agent that tells a story of ten seconds, all of it generated at once, and what came of it. */
const tellingA = (script: (line: BidiTest.Line) => Effect.Effect<unknown>, options?: BidiTest.ModelOptions) =>
  Effect.gen(function* () {
    const { agent, model } = yield* agentWith(
      Effect.fnUntraced(function* (line) {
        yield* line.expectText("Tell me a story.")
        yield* line.reply({ text: story, audio: "10 seconds", responseId: "story", itemId: "tale" })
        yield* script(line)
      }),
      options
    )
    const speaker = yield* BidiTest.speaker()
    const recorder = BidiTest.recorder()
    const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
    yield* call.send("Tell me a story.")
    const interruptions = () => recorder.events().filter((event) => event._tag === "Interruption")
    const assistant = Effect.map(call.history, ({ content }) =>
      content.flatMap((message) =>
        message.role === "assistant"
          ? message.content.map((part) => (part.type === "text" ? part.text : part.type))
          : []
      )
    )
    return { call, model, speaker, recorder, interruptions, assistant }
  })

const silence = { _tag: "Interruption", reason: "user_speech", responseId: "story" } as const

describe("an interruption", () => {
  it.effect("comes late: the model has finished, the person speaks while the rest is still playing", () =>
    Effect.gen(function* () {
      const { assistant, interruptions, model, speaker } = yield* tellingA((line) =>
        Effect.gen(function* () {
          yield* line.wait("3 seconds")
          yield* line.hear("Stop!")
          yield* line.reply({ text: "Yes?", audio: "1 second" })
        })
      )
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(interruptions(), [{ ...silence, heard: Duration.seconds(3), at: 3000 }])
      assert.deepStrictEqual(model.commands()[1], {
        _tag: "Interrupt",
        responseId: "story",
        items: [{ itemId: "tale", heard: 3000, produced: 10_000 }]
      })
      assert.deepStrictEqual(yield* assistant, ["one two three", "Yes?"]) // "four" was only begun
      assert.deepStrictEqual(
        speaker.heard().map(({ heard, itemId }) => [itemId, Duration.toSeconds(heard)]),
        [
          ["tale", 3],
          ["item-2", 1] // and the next reply plays
        ]
      )
    })
  )

  it.effect("comes while the reply is being generated: what still arrives of it is dropped", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* Effect.forkChild(
            line.reply({ text: story, audio: "10 seconds", over: "5 seconds", responseId: "story" })
          )
          yield* line.wait("2 seconds")
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.wait("10 seconds")
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [speaker.output, recorder.output] })
      yield* BidiTest.advance("1 minute")
      // the frame of the tenth of a second in which it happened was still generating
      assert.deepStrictEqual(Duration.toMillis(speaker.played()), 1950)
      const events = recorder.events().filter(({ _tag }) => _tag !== "MessageAdded" && _tag !== "Playback")
      const tags = events.map((event) => event._tag)
      const at = tags.indexOf("Interruption")
      assert.deepStrictEqual(tags.slice(at - 1), ["TranscriptStream", "Interruption", "ResponseComplete"])
      assert.deepInclude(events[at - 1], { isFinal: true })
      assert.deepInclude(events[at + 1], { responseId: "story", stopReason: "interrupted" })
    })
  )

  it.effect("is none when everything was heard, or when nobody speaks", () =>
    Effect.gen(function* () {
      const { call, interruptions, model } = yield* tellingA((line) =>
        Effect.andThen(line.wait("10 seconds"), line.hear("Nice."))
      )
      yield* BidiTest.advance("30 seconds")
      yield* call.interrupt()
      assert.deepStrictEqual(interruptions(), [])
      assert.lengthOf(model.commands(), 1)
    })
  )

  it.effect("happens once, however often it is asked for", () =>
    Effect.gen(function* () {
      const { call, interruptions } = yield* tellingA((line) =>
        Effect.gen(function* () {
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" }, { _tag: "SpeechStarted" })
          yield* line.emit({ _tag: "Interrupted", responseId: "story" })
        })
      )
      yield* BidiTest.advance("1 second")
      yield* Effect.all([call.interrupt(), call.interrupt()], { concurrency: "unbounded" })
      assert.lengthOf(interruptions(), 1)
    })
  )

  it.effect("before the first sound leaves nothing of the reply in memory", () =>
    Effect.gen(function* () {
      const { assistant, interruptions, model } = yield* tellingA((line) => line.hear("No."))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(interruptions(), [{ ...silence, heard: Duration.zero, at: 0 }])
      assert.deepInclude(model.commands()[1], { items: [{ itemId: "tale", heard: 0, produced: 10_000 }] })
      assert.deepStrictEqual(yield* assistant, [])
    })
  )

  it.effect("cuts each item of a reply where it was heard", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: "first part", audio: "2 seconds", responseId: "r", itemId: "a", unfinished: true })
          yield* line.emit({
            _tag: "TranscriptDone",
            role: "assistant",
            itemId: "a",
            responseId: "r",
            text: "first part"
          })
          yield* line.reply({ text: "second part of it", audio: "4 seconds", responseId: "r", itemId: "b" })
          yield* line.wait("4 seconds")
          yield* line.emit({ _tag: "SpeechStarted" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* BidiTest.advance("10 seconds")
      assert.deepInclude(model.commands()[0], {
        items: [
          { itemId: "a", heard: 2000, produced: 2000 },
          { itemId: "b", heard: 2000, produced: 4000 }
        ]
      })
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.map((message) => [
          message.role === "assistant" && message.content[0]?.type === "text" && message.content[0].text,
          (message.options["effect-bidi"] as { interrupted?: boolean }).interrupted
        ]),
        [
          ["first part", false],
          ["second", true]
        ]
      )
    })
  )

  it.effect("counts the furthest of several speakers, and silences all", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: story, audio: "10 seconds", itemId: "tale" })
          yield* line.wait("5 seconds")
          yield* line.emit({ _tag: "SpeechStarted" })
        })
      )
      const [near, far] = [yield* BidiTest.speaker("near"), yield* BidiTest.speaker("far")]
      const slow: BidiOutput.BidiOutput = {
        ...far.output,
        open: Effect.map(far.output.open, (sink) => ({
          ...sink,
          // what it says is two seconds behind what it plays
          playback: () => Duration.max(Duration.zero, Duration.subtract(far.played(), Duration.seconds(2)))
        }))
      }
      yield* agent.start({ outputs: [slow, near.output] })
      yield* BidiTest.advance("10 seconds")
      assert.deepInclude(model.commands()[0], { items: [{ itemId: "tale", heard: 5000, produced: 10_000 }] })
      assert.strictEqual(near.flushes(), 1)
      assert.strictEqual(far.flushes(), 1)
    })
  )

  it.effect("takes real time for a speaker that cannot tell, and its reports where it can", () =>
    Effect.gen(function* () {
      const heard = (reports: ReadonlyArray<readonly [after: number, played: number]>) =>
        Effect.gen(function* () {
          const { agent, model } = yield* agentWith(
            Effect.fnUntraced(function* (line) {
              yield* line.reply({ text: story, audio: "10 seconds", itemId: "tale" })
              yield* line.wait("4 seconds")
              yield* line.emit({ _tag: "SpeechStarted" })
            })
          )
          const remote = BidiOutput.make("remote", { events: ["AudioStream"], handle: () => Effect.void })
          const call = yield* agent.start({ outputs: [remote] })
          for (const [after, played] of reports) {
            yield* BidiTest.advance(Duration.seconds(after))
            yield* call.send({ _tag: "PlaybackReport", itemId: "tale", played: Duration.seconds(played) })
          }
          yield* BidiTest.advance("10 seconds")
          const command = model.commands()[0]
          return command?._tag === "Interrupt" ? command.items[0]?.heard : undefined
        })
      assert.strictEqual(yield* heard([]), 4000)
      assert.strictEqual(
        yield* heard([
          [1, 0.5],
          [2, 2.5]
        ]),
        3500 // a second after the last report
      )
      assert.strictEqual(yield* heard([[1, 99]]), undefined) // all of it, it says
    })
  )

  it.effect("is not held up by a speaker that does not fall silent", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: story, audio: "10 seconds", responseId: "story" })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.reply({ text: "Yes?", responseId: "next" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const deaf: BidiOutput.BidiOutput = {
        ...speaker.output,
        open: Effect.map(speaker.output.open, (sink) => ({ ...sink, flush: Effect.never }))
      }
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [deaf, recorder.output] })
      yield* BidiTest.advance("2 seconds")
      const tags = recorder.events().map((event) => (event._tag === "ResponseStart" ? event.responseId : event._tag))
      assert.includeMembers(tags, ["Interruption", "next"])
    })
  )

  it.effect("at the end of a conversation is not held up either", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.reply({ text: story, audio: "10 seconds" }))
      const speaker = yield* BidiTest.speaker()
      const deaf: BidiOutput.BidiOutput = {
        ...speaker.output,
        open: Effect.map(speaker.output.open, (sink) => ({ ...sink, flush: Effect.uninterruptible(Effect.never) }))
      }
      const call = yield* agent.start({ outputs: [deaf] })
      yield* BidiTest.advance("1 second")
      yield* call.stop()
      const end = yield* Effect.forkChild(call.await)
      yield* BidiTest.advance("2 seconds")
      assert.strictEqual(yield* Fiber.join(end), "client_disconnect")
    })
  )

  it.effect("by text or by hand has its own reason", () =>
    Effect.gen(function* () {
      const { call, interruptions } = yield* tellingA((line) =>
        Effect.gen(function* () {
          yield* line.expect("Interrupt")
          yield* line.expectText("Another one.")
          yield* line.reply({ text: story, audio: "10 seconds", responseId: "another" })
        })
      )
      yield* BidiTest.advance("2 seconds")
      yield* call.send("Another one.")
      yield* BidiTest.advance("2 seconds")
      yield* call.interrupt()
      assert.deepStrictEqual(
        interruptions().map((event) => [event.reason, event.responseId, Duration.toSeconds(event.heard)]),
        [
          ["user_text", "story", 2],
          ["manual", "another", 2]
        ]
      )
    })
  )

  it.effect("without a speaker leaves what was read", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* Effect.forkChild(line.reply({ text: story, over: "10 seconds", responseId: "story" }))
          yield* line.expect("Interrupt")
        })
      )
      const seen: Array<BidiEvent.Interruption> = []
      const call = yield* agent.start({
        hooks: [BidiAgent.on("Interruption", (event) => Effect.sync(() => seen.push(event)))]
      })
      yield* BidiTest.advance("3500 millis")
      yield* call.interrupt()
      yield* BidiTest.settle
      assert.lengthOf(seen, 1)
      const { content } = yield* call.history
      assert.deepInclude(content[0]?.content[0], { text: "one two three " })
    })
  )
})

describe("a reply that the provider cut off without a word about speech", () => {
  it.effect("is silenced at once, and remembered as heard", () =>
    Effect.gen(function* () {
      const { assistant, interruptions, speaker } = yield* Effect.gen(function* () {
        const { agent } = yield* agentWith(
          Effect.fnUntraced(function* (line) {
            yield* line.reply({
              text: story,
              audio: "10 seconds",
              responseId: "story",
              itemId: "tale",
              unfinished: true
            })
            yield* line.wait("3 seconds")
            // OpenAI: `response.done` with the status `cancelled` and the reason `turn_detected`
            yield* line.emit({ _tag: "ResponseDone", responseId: "story", stopReason: "interrupted" })
          })
        )
        const speaker = yield* BidiTest.speaker()
        const recorder = BidiTest.recorder()
        const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
        yield* BidiTest.advance("1 minute")
        const { content } = yield* call.history
        const assistant = content.flatMap(({ content }) =>
          typeof content === "string"
            ? [content]
            : content.map((part) => (part.type === "text" ? part.text : part.type))
        )
        const interruptions = recorder
          .events()
          .filter((event) => event._tag === "Interruption" || event._tag === "ResponseComplete")
        return { assistant, interruptions, speaker }
      })
      assert.deepStrictEqual(speaker.played(), Duration.seconds(3))
      assert.deepStrictEqual(interruptions, [
        { ...silence, heard: Duration.seconds(3), at: 3000 },
        { _tag: "ResponseComplete", responseId: "story", stopReason: "interrupted", at: 3000 }
      ])
      assert.deepStrictEqual(assistant, ["one two three"])
    })
  )
})

describe("an interruption of a reply with another behind it", () => {
  it.effect("keeps what was heard of all its items, and says of the other that nothing was", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          const words = (responseId: string, itemId: string, text: string) =>
            ({ _tag: "TranscriptDone", role: "assistant", responseId, itemId, text }) as const
          yield* line.reply({ text: "first part", audio: "2 seconds", responseId: "r", itemId: "a", unfinished: true })
          yield* line.emit(words("r", "a", "first part"))
          yield* line.reply({ text: "second part of it", audio: "4 seconds", responseId: "r", itemId: "b" })
          yield* line.wait("3 seconds")
          yield* line.reply({ text: "and one more", audio: "4 seconds", responseId: "s", itemId: "c" })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
      yield* BidiTest.advance("10 seconds")
      const said = yield* Transcript.fromPrompt(yield* call.history)
      assert.deepStrictEqual(
        said.map((entry) => entry._tag === "Assistant" && entry.text),
        ["first part", "second"]
      )
      assert.deepStrictEqual(
        recorder
          .events()
          .flatMap((event) =>
            event._tag === "Interruption" ? [[event.responseId, Duration.toSeconds(event.heard)]] : []
          ),
        [
          ["r", 4],
          ["s", 0]
        ]
      )
    })
  )
})

describe("words whose time is known", () => {
  it.effect("are cut by it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          const piece = { _tag: "TranscriptDelta", role: "assistant", itemId: "i", responseId: "r" } as const
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          yield* line.emit({ ...piece, delta: "Well… ", until: 2500 }, { ...piece, delta: "I think so.", until: 3000 })
          yield* line.emit({ _tag: "AudioDelta", responseId: "r", itemId: "i", audio: new Uint8Array(48_000 * 3) })
          yield* line.emit({ _tag: "ResponseDone", responseId: "r", stopReason: "complete" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* BidiTest.advance("2 seconds") // two thirds of the sound, nothing of the words
      yield* call.interrupt()
      assert.deepInclude(model.commands()[0], { items: [{ itemId: "i", heard: 2000, produced: 3000 }] })
      assert.deepStrictEqual((yield* call.history).content, [])
    })
  )
})

describe("speech over a reply that is still audible", () => {
  const talking = (
    interruption: BidiAgent.InterruptionOptions,
    speech: (line: BidiTest.Line) => Effect.Effect<unknown>
  ) =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: story, audio: "10 seconds", responseId: "story" })
          yield* line.wait("2 seconds")
          yield* speech(line)
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [speaker.output, recorder.output], interruption })
      const interruptions = () => recorder.events().filter((event) => event._tag === "Interruption")
      return { speaker, interruptions }
    })

  const cough = (line: BidiTest.Line) =>
    line
      .emit({ _tag: "SpeechStarted" })
      .pipe(Effect.andThen(line.wait("300 millis")), Effect.andThen(line.emit({ _tag: "SpeechStopped" })))

  it.effect("does not interrupt when it is too short", () =>
    Effect.gen(function* () {
      const { interruptions, speaker } = yield* talking({ minDuration: "500 millis" }, cough)
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(interruptions(), 0)
      assert.deepStrictEqual(speaker.played(), Duration.seconds(10))
    })
  )

  it.effect("interrupts when it has lasted", () =>
    Effect.gen(function* () {
      const { speaker, interruptions } = yield* talking({ minDuration: "500 millis" }, (line) =>
        line.hear("Wait a moment!", { lasting: "2 seconds" })
      )
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(speaker.played(), Duration.millis(2500))
      assert.lengthOf(interruptions(), 1)
    })
  )

  it.effect("only pauses, and the agent goes on when nothing comes of it", () =>
    Effect.gen(function* () {
      const { interruptions, speaker } = yield* talking({ falseInterruptionTimeout: "1 second" }, cough)
      yield* BidiTest.advance("3 seconds") // one of them in silence
      assert.deepStrictEqual(speaker.played(), Duration.seconds(2))
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(10))
      assert.lengthOf(interruptions(), 0)
    })
  )

  it.effect("interrupts when a turn comes of it, with what was heard before the pause", () =>
    Effect.gen(function* () {
      const { interruptions, speaker } = yield* talking({ falseInterruptionTimeout: "1 second" }, (line) =>
        Effect.andThen(line.hear("Stop.", { lasting: "600 millis" }), line.reply({ text: "Yes?", audio: "1 second" }))
      )
      yield* BidiTest.advance("1 minute")
      assert.deepInclude(interruptions()[0], { heard: Duration.seconds(2) })
      assert.deepStrictEqual(speaker.played(), Duration.seconds(3)) // and the next reply plays
    })
  )

  it.effect("interrupts where the provider leaves that to us", () =>
    Effect.gen(function* () {
      const speech = (line: BidiTest.Line) => line.emit({ _tag: "SpeechStarted", interrupts: false })
      const left = yield* talking({}, speech)
      const ours = yield* talking({ minDuration: "1 second" }, speech)
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(left.interruptions(), 0)
      assert.lengthOf(ours.interruptions(), 1)
    })
  )

  it.effect("interrupts what is still audible when a turn is the first that is known of it", () =>
    Effect.gen(function* () {
      const turn = { _tag: "UserTurn", itemId: "stop", respond: true } as const
      const first = yield* talking({ minDuration: "1 second" }, (line) =>
        Effect.andThen(line.emit({ ...turn, interrupts: true }), line.reply({ text: "Yes?", audio: "1 second" }))
      )
      const known = yield* talking({}, (line) =>
        Effect.andThen(line.emit(turn), line.reply({ text: "Yes?", audio: "1 second" }))
      )
      yield* BidiTest.advance("1 minute")
      assert.deepInclude(first.interruptions()[0], { reason: "user_speech", heard: Duration.seconds(2) })
      assert.deepStrictEqual(first.speaker.played(), Duration.seconds(3)) // and the next reply plays
      assert.lengthOf(known.interruptions(), 0)
      assert.deepStrictEqual(known.speaker.played(), Duration.seconds(11))
    })
  )

  it.effect("is left to the provider while it generates, also when a turn comes of it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* Effect.forkChild(line.reply({ text: story, audio: "10 seconds", over: "5 seconds" }))
          yield* line.wait("2 seconds")
          yield* line.emit({ _tag: "UserTurn", itemId: "mhm", respond: true, interrupts: true })
          yield* line.wait("10 seconds")
        })
      )
      const speaker = yield* BidiTest.speaker()
      yield* agent.start({ outputs: [speaker.output] })
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(10))
    })
  )

  it.effect("interrupts at once while the provider cuts the reply off by itself", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* Effect.forkChild(line.reply({ text: story, audio: "10 seconds", over: "5 seconds" }))
          yield* line.wait("2 seconds")
          yield* cough(line)
        })
      )
      const recorder = BidiTest.recorder()
      const interruption = { minDuration: "5 seconds", falseInterruptionTimeout: "5 seconds" } as const
      yield* agent.start({ outputs: [recorder.output], interruption })
      yield* BidiTest.advance("2500 millis")
      assert.lengthOf(
        recorder.events().filter((event) => event._tag === "Interruption"),
        1
      )
    })
  )
})
