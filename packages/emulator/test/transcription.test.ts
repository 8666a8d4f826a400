import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import type { Options } from "./support/fold.ts"
import { Fold, of, one, saidIn, typesOf, update, userText } from "./support/fold.ts"
import { appends, phrase, tone } from "./support/sound.ts"

const manual = update({ audio: { input: { turn_detection: null } } })
const hears = (text: string, options: Options = {}) => new Fold({ hear: () => text, ...options })
const commit = { type: "input_audio_buffer.commit" }
const create = { type: "response.create" }

describe("transcription", () => {
  const asked = (model: string, include: object = {}) =>
    update({ ...include, audio: { input: { transcription: { model }, turn_detection: null } } })

  it("is told in words and then whole, with what it cost", () => {
    const fold = hears("my name is Ada")
    fold.send(asked("gpt-4o-mini-transcribe"), ...appends(tone(1000)))
    const events = fold.send(commit)
    assert.deepStrictEqual(
      of(events, "conversation.item.input_audio_transcription.delta").map(({ delta }) => delta),
      ["my", " name", " is", " Ada"]
    )
    const done = one(events, "conversation.item.input_audio_transcription.completed")
    assert.deepInclude(done, {
      transcript: "my name is Ada",
      content_index: 0,
      item_id: one(events, "input_audio_buffer.committed").item_id
    })
    assert.deepInclude(done.usage, { type: "tokens", input_tokens: 10 })
    const { item } = one(
      fold.send({ type: "conversation.item.retrieve", item_id: done.item_id }),
      "conversation.item.retrieved"
    )
    assert.strictEqual(item.content[0].transcript, "my name is Ada")
  })

  it("is billed by its length for whisper, and has odds when they are asked for", () => {
    const fold = hears("hello there")
    fold.send(asked("whisper-1", { include: ["item.input_audio_transcription.logprobs"] }), ...appends(tone(1500)))
    const done = one(fold.send(commit), "conversation.item.input_audio_transcription.completed")
    assert.deepStrictEqual(done.usage, { type: "duration", seconds: 1.5 })
    assert.deepStrictEqual(
      done.logprobs.map(({ token }: { token: string }) => token),
      ["hello", " there"]
    )
  })

  it("is not told when it is not asked for, but understood", () => {
    const fold = hears("my name is Ada")
    fold.send(manual, ...appends(tone(300)))
    assert.isFalse(typesOf(fold.send(commit)).some((type) => type.includes("transcription")))
    assert.strictEqual(saidIn(fold.ask("what is my name")), "Nice to meet you, Ada. Your name is Ada.")
  })

  it("of what cannot be made out says how long it was", () => {
    const fold = hears("")
    fold.send(asked("gpt-transcribe"), ...appends(tone(1230)))
    assert.strictEqual(
      one(fold.send(commit), "conversation.item.input_audio_transcription.completed").transcript,
      "(speech, 1.2 s)"
    )
    fold.send(create)
    assert.include(saidIn(fold.pass()), "1.2 seconds")
  })

  it("a reply waits for ears that are slow, and answers what they heard", () => {
    const fold = new Fold({ hear: () => "unused" })
    fold.send(userText("x"))
    const { item } = fold.events.at(-1)!
    assert.isString(item.id)
    const slow = new (class extends Fold {
      override input(input: Parameters<Fold["input"]>[0]): void {
        // nothing is heard until the test says so
        if (input._tag !== "Transcribed" || input.text !== "unused") super.input(input)
      }
    })({ hear: () => "unused" })
    slow.send(manual, ...appends(tone(300)), commit, create)
    const id = one(slow.events, "input_audio_buffer.committed").item_id
    assert.deepStrictEqual(slow.pass(60_000), [])
    slow.input({ _tag: "Transcribed", key: id, text: "my name is Ada" })
    assert.strictEqual(saidIn(slow.pass()), "Nice to meet you, Ada.")
  })

  it("that fails is told, and the reply comes all the same", () => {
    const fold = new (class extends Fold {
      override input(input: Parameters<Fold["input"]>[0]): void {
        super.input(
          input._tag === "Transcribed" ? { _tag: "NotTranscribed", key: input.key, message: "no ears today" } : input
        )
      }
    })()
    fold.send(asked("gpt-transcribe"), ...appends(tone(500)))
    const events = fold.send(commit, create)
    assert.strictEqual(one(events, "conversation.item.input_audio_transcription.failed").error.message, "no ears today")
    assert.include(saidIn(fold.pass()), "could not make out")
  })

  it("of an item with sound in it works like of spoken turns", () => {
    const fold = new Fold({
      hear: (pcm) => (Pcm.durationMs(pcm) === Pcm.durationMs(phrase("hello")) ? "my name is Ada" : "")
    })
    const audio = Buffer.from(Pcm.toBytes(phrase("hello").samples)).toString("base64")
    fold.send(
      {
        type: "conversation.item.create",
        item: { type: "message", role: "user", content: [{ type: "input_audio", audio }] }
      },
      create
    )
    assert.strictEqual(saidIn(fold.pass()), "Nice to meet you, Ada.")
  })
})
