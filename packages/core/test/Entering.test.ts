/**
 * What comes in from outside is made fit where it enters: samples are whole, text is well-formed, and what nobody knows is
 * refused in words.
 */
import type { Transcript } from "@effect-bidi/core"
import { Audio, BidiAgent, type BidiEvent, BidiInput, SessionStore } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { agentWith, reasonOf } from "./support/agent.ts"
import { storeOf } from "./support/store.ts"

const numbers = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)

/** Cuts bytes into pieces of these lengths, over and over. */
const cut = (bytes: Uint8Array, lengths: ReadonlyArray<number>) => {
  const pieces: Array<Uint8Array> = []
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length]!
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

const together = (pieces: ReadonlyArray<Uint8Array>) => new Uint8Array(Buffer.concat(pieces))

describe("half a sample", () => {
  const Lengths = Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 }))).check(
    Schema.isMaxLength(5)
  )

  it.prop(
    "waits for the next piece, whatever the pieces are",
    { lengths: Lengths, channels: Schema.Literals([1, 2]), format: Schema.Literals(["pcm", "pcmu"]) },
    ({ channels, format, lengths }) => {
      const all = numbers(400)
      const samples = new Audio.WholeSamples({ encoding: format, channels, sampleRate: 24_000 })
      const size = Audio.frameSize({ encoding: format, channels, sampleRate: 24_000 })
      const pieces = cut(all, lengths).map((piece) => samples.push(piece))
      assert.isTrue(pieces.every((piece) => piece.length % size === 0))
      assert.deepStrictEqual(together(pieces), all.subarray(0, together(pieces).length))
      assert.isBelow(all.length - together(pieces).length, size)
    }
  )

  it.effect("of an input is carried over, of each for itself", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const frame = (audio: Uint8Array): BidiEvent.Input => ({ _tag: "AudioInput", audio, ...Audio.pcm(24_000) })
      const all = numbers(4801)
      const input = BidiInput.make("microphone", Stream.fromIterable(cut(all, [481, 959]).map(frame)))
      const fiber = yield* Effect.forkChild(Effect.exit(agent.run({ inputs: [input] })))
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(Option.getOrUndefined(Exit.getSuccess(yield* Fiber.join(fiber))), "complete")
      const heard = model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio] : []))
      assert.isTrue(heard.every((audio) => audio.length % 2 === 0))
      assert.deepStrictEqual(together(heard).subarray(0, 4800), all.subarray(0, 4800))
    })
  )

  it.effect("of the model's speech is carried over to the next piece of the item", () =>
    Effect.gen(function* () {
      const all = numbers(9602)
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          const reply = { responseId: "r", itemId: "i" }
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          for (const audio of cut(all, [4801])) yield* line.emit({ _tag: "AudioDelta", ...reply, audio })
          // what is over at the end of an item belongs to none
          yield* line.emit({ _tag: "AudioDelta", ...reply, audio: numbers(3) })
          yield* line.emit({ _tag: "AudioDelta", responseId: "r", itemId: "j", audio: numbers(4) })
          yield* line.emit({ _tag: "ResponseDone", responseId: "r", stopReason: "complete" })
        })
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.settle
      const frames = recorder.events().flatMap((event) => (event._tag === "AudioStream" ? [event] : []))
      assert.isTrue(frames.every(({ audio }) => audio.length % 2 === 0))
      assert.deepStrictEqual(together(frames.map(({ audio }) => audio)), together([all, numbers(2), numbers(4)]))
    })
  )
})

const half = "\ud83d"
const mended = "\ufffd"

const find = Tool.make("find", { parameters: Schema.Struct({ what: Schema.String }), success: Schema.Json })
const toolkit = Toolkit.make(find)

describe("text that is not well-formed", () => {
  const isWellFormed = (value: unknown) => assert.notMatch(JSON.stringify(value), /\\ud[89a-f]/i)

  it.effect(
    "is made so where it enters: typed, said, as instructions, in results and arguments of tools, and in notes",
    () =>
      Effect.gen(function* () {
        const given: Array<unknown> = []
        const model = yield* BidiTest.model(
          Effect.fnUntraced(function* (line) {
            yield* line.expectText(`Hi ${mended}`)
            yield* line.callTools(["find", `{"what":"\\ud83d"}`])
            yield* line.expect("ToolOutputs")
            yield* line.reply({ text: `Hello ${half}` })
          })
        )
        const handlers = toolkit.toLayer({
          find: (input) =>
            Effect.sync(() => {
              given.push(input)
              return { [`key ${half}`]: ["found", { deep: `a ${half}` }] }
            })
        })
        const agent = yield* BidiAgent.make({ toolkit, instructions: `Be brief ${half}` }).pipe(
          Effect.provide([model.layer, handlers])
        )
        const recorder = BidiTest.recorder()
        const call = yield* agent.start({ outputs: [recorder.output] })
        yield* call.send(`Hi ${half}`)
        yield* BidiTest.advance("1 second")
        yield* call.note(`A fact ${half}`)
        yield* call.callTool("find", { what: "x" }, { record: true })
        yield* Effect.forkChild(call.respond({ instructions: `Say ${half}` }))
        yield* BidiTest.advance("1 second")
        yield* Effect.forkChild(call.update({ instructions: `Be long ${half}` }))
        yield* BidiTest.advance("1 second")
        isWellFormed(given)
        isWellFormed(model.commands())
        isWellFormed(model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.setup] : [])))
        isWellFormed(recorder.events().filter(({ _tag }) => _tag === "ToolUse" || _tag === "ToolResult"))
        isWellFormed((yield* call.history).content)
        assert.include(JSON.stringify(model.commands()), mended)
      })
  )

  it.effect("is made so in history that is imported, or loaded from a log", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const log: Transcript.Transcript = [
        { _tag: "User", id: "u", parts: [`Hi ${half}`] },
        { _tag: "ToolCall", id: "c", responseId: "r", name: "find", input: { what: half } }
      ]
      const { store } = storeOf(undefined, log)
      const history = Prompt.make([
        { role: "system", content: `Note ${half}` },
        { role: "assistant", content: `Hello ${half}` }
      ])
      const call = yield* Effect.provideService(
        agent.start({ history, sessionId: "ada" }),
        SessionStore.SessionStore,
        store
      )
      yield* BidiTest.settle
      isWellFormed(model.log())
      isWellFormed((yield* call.history).content)
    })
  )
})

describe("a provider that cuts its text within a character", () => {
  it.effect("is quoted in whole characters: words, previews and thoughts", () =>
    Effect.gen(function* () {
      const said = "A smile 😀, and 👍."
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          for (const delta of said.split("")) {
            const words = { _tag: "TranscriptDelta", role: "assistant", itemId: "i", responseId: "r", delta } as const
            yield* line.emit(words, { ...words, preview: true }, { _tag: "Reasoning", responseId: "r", delta })
          }
          yield* line.emit({ _tag: "ResponseDone", responseId: "r", stopReason: "complete" })
        })
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.settle
      const texts = { words: "", preview: "", thoughts: "" }
      for (const event of recorder.events()) {
        if (event._tag === "Reasoning") texts.thoughts += event.delta
        if (event._tag === "TranscriptStream") texts[event.preview === true ? "preview" : "words"] += event.delta
        if (event._tag === "TranscriptStream") assert.isTrue(event.currentTranscript.isWellFormed())
        if ("delta" in event) assert.isTrue(event.delta.isWellFormed(), JSON.stringify(event))
      }
      assert.deepStrictEqual(texts, { words: said, preview: said, thoughts: said })
      assert.include(JSON.stringify((yield* call.history).content), said)
    })
  )

  it.effect("is quoted in whole characters also where its text comes after an interruption", () =>
    Effect.gen(function* () {
      const said = "A smile 😀, and 👍."
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.reply({ audio: "10 seconds", responseId: "r", itemId: "i", unfinished: true })
          yield* line.expect("Interrupt")
          for (const delta of said.split("")) {
            yield* line.emit({ _tag: "TranscriptDelta", role: "assistant", itemId: "i", responseId: "r", delta })
          }
        })
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* BidiTest.advance("9 seconds")
      yield* call.interrupt()
      yield* BidiTest.advance("1 second")
      assert.include(JSON.stringify((yield* call.history).content), said)
    })
  )
})

describe("what is sent", () => {
  it.effect("is refused in words when nobody knows it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      const strange: ReadonlyArray<unknown> = [{ _tag: "Dance" }, {}, null, undefined, 7, ["Look:", { _tag: "Dance" }]]
      for (const input of strange) {
        const exit = yield* Effect.exit(call.send(input as string))
        assert.strictEqual(reasonOf(exit), "InvalidRequest", JSON.stringify(input))
      }
      assert.lengthOf(model.commands(), 0)
    })
  )

  it.effect("from an input is the typed failure of the conversation", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const input = BidiInput.make("strange", Stream.make({ _tag: "Dance" } as unknown as BidiEvent.Input))
      assert.strictEqual(reasonOf(yield* Effect.exit(agent.run({ inputs: [input] }))), "InvalidRequest")
    })
  )

  it.effect.each([2048, 42, 36, 20, 10])(
    "arrives in the order in which it was sent, by whomever, also where the first of it has to interrupt (%d steps)",
    (steps) =>
      Effect.gen(function* () {
        const texts: Array<unknown> = []
        const { agent } = yield* agentWith(
          Effect.fnUntraced(function* (line) {
            yield* line.expectText("Tell me a story.")
            yield* line.reply({ text: "A long one.", audio: "10 seconds" })
            while (true) {
              const command = yield* line.next
              if (command._tag === "UserMessage") texts.push(...command.parts)
            }
          })
        )
        const speaker = yield* BidiTest.speaker()
        const call = yield* agent.start({ outputs: [speaker.output] })
        yield* call.send("Tell me a story.")
        yield* BidiTest.advance("2 seconds")
        for (const text of ["one", "two", "three"]) yield* Effect.forkChild(call.send(text))
        yield* BidiTest.advance("2 seconds")
        assert.deepStrictEqual(texts, ["one", "two", "three"])
      }).pipe(Effect.provideService(References.MaxOpsBeforeYield, steps))
  )

  it.effect("needs no role where a text is written by hand", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      const text: BidiEvent.TextInput = { _tag: "TextInput", text: "Hi" }
      yield* call.send(text)
      assert.deepInclude(model.commands()[0], { _tag: "UserMessage", parts: ["Hi"] })
    })
  )
})
