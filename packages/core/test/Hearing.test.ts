/** What was heard, of texts in any script, of words that come before or after their sound, and at any moment. */
import type { BidiAgent } from "@effect-bidi/core"
import { BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { heardText } from "../src/internal/history/heardText.ts"
import { cases } from "../../../scripts/cases.ts"
import { agentWith } from "./support/agent.ts"

describe("what was heard of a text", () => {
  const half = (text: string) => heardText(text, { heard: 500, produced: 1000 })

  for (const [what, text, heard] of [
    ["Chinese", "今天天气很好我们去公园散步吧", "今天天气很好"],
    ["Japanese", "私は学生です。東京に住んでいます。", "私は学生です。"],
    ["Thai", "สวัสดีครับวันนี้อากาศดีมาก", "สวัสดีครับวัน"],
    ["emoji", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"],
    ["an unspaced list", "apples,pears,plums,cherries", "apples,pears,"],
    ["a very long number", "31415926535897932384626433832795", "3141592653589793"],
    ["a very long word", "Donaudampfschifffahrtsgesellschaft", "Donaudampfschifff"],
    ["English", "Good morning, how are you today?", "Good morning,"],
    ["a quotation", "She said (quietly): what a day", "She said"],
    ["a word with an apostrophe", "I don't", "I"]
  ] as const) {
    it(`${what} is cut between its words`, () => assert.strictEqual(half(text), heard))
  }

  // letters and marks that join, flags, families, surrogates in pairs and alone, and no white space to hold on to
  const Piece = Schema.Literals([
    "a", "word", "longerthananywordthatoneknows", " ", "\n", ",", ".", "(", "1", "23", "你", "好", "ひらがな", "カ", "ไทย", "ำ",
    "한", "국", "e\u0301", "\u0301", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "🇫", "\u200d", "क्षि", "\ud83d", "\u0600", "\r\n"
  ]) // prettier-ignore
  const Text = Schema.Array(Piece).check(Schema.isMaxLength(30))
  const Part = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))

  it.prop(
    "is a beginning of it that grows with time, ends before the position, and never inside a character",
    { pieces: Text, one: Part, two: Part },
    ({ one, pieces, two }) => {
      const text = pieces.join("")
      const [less, more] = [Math.min(one, two), Math.max(one, two)]
      const heard = (millis: number) => heardText(text, { heard: millis, produced: 1000 })
      assert.isTrue(text.startsWith(heard(more)))
      assert.isTrue(heard(more).startsWith(heard(less)))
      if (less < 1000) assert.isAtMost(heard(less).length, Math.floor((text.length * less) / 1000))
      const ends = new Set([0, text.length])
      for (const { index } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) ends.add(index)
      assert.isTrue(ends.has(heard(less).length))
    },
    cases(300)
  )
})

const texts = (call: BidiAgent.Call<unknown>) =>
  Effect.map(call.history, ({ content }) =>
    content.flatMap((message) =>
      message.role === "assistant" ? message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])) : []
    )
  )

const seconds = (n: number) => new Uint8Array(48_000 * n)

/** A reply in pieces of words and sound, by a model that is then told to go on. */
const speaking = Effect.fnUntraced(function* (
  script: (say: {
    readonly words: (delta: string) => Effect.Effect<void>
    readonly sound: (seconds: number) => Effect.Effect<void>
    readonly line: BidiTest.Line
  }) => Effect.Effect<unknown>,
  speakers: "one" | "none" | "remote" = "one"
) {
  const { agent, model } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      if (line.generation > 1) return yield* line.accept
      const reply = { responseId: "r", itemId: "i" } as const
      yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
      yield* script({
        line,
        words: (delta) => line.emit({ _tag: "TranscriptDelta", role: "assistant", ...reply, delta }),
        sound: (n) => line.emit({ _tag: "AudioDelta", ...reply, audio: seconds(n) })
      })
    })
  )
  const speaker = yield* BidiTest.speaker()
  const remote = BidiOutput.make("browser", { events: ["AudioStream"], handle: () => Effect.void })
  const outputs = speakers === "one" ? [speaker.output] : speakers === "remote" ? [remote] : []
  const call = yield* agent.start({ outputs })
  return { call, model }
})

const done = { _tag: "ResponseDone", responseId: "r", stopReason: "complete" } as const
const long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"

describe("words and their sound", () => {
  it.effect("words before any sound were not heard", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(({ words }) => words("Once upon a time"))
      yield* BidiTest.advance("1 second")
      yield* call.interrupt()
      assert.deepStrictEqual(yield* texts(call), [])
    })
  )

  it.effect("but they were read where nobody plays any sound", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(
        ({ sound, words }) => Effect.andThen(words("Once upon a time"), sound(1)),
        "none"
      )
      yield* BidiTest.advance("100 millis")
      assert.deepStrictEqual(yield* texts(call), ["Once upon a time"])
      yield* call.interrupt()
      assert.deepStrictEqual(yield* texts(call), ["Once upon a time"])
    })
  )

  it.effect("words that run ahead of their sound were not heard: no voice is that fast", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(({ sound, words }) => Effect.andThen(words(long), sound(1)))
      yield* BidiTest.advance("1 second") // all the sound there is, but not of all the words
      yield* call.interrupt()
      const [heard = ""] = yield* texts(call)
      assert.isAtMost(heard.length, 25)
      assert.match(heard, /^one two/)
    })
  )

  it.effect("but a voice that is known to be faster is that fast", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(({ line }) =>
        Effect.gen(function* () {
          const first = { responseId: "r0", itemId: "i0" } as const
          const text = "Nice to meet you, my dear Ada."
          yield* line.emit(
            { _tag: "AudioDelta", ...first, audio: new Uint8Array(9600 * 2) }, // 0.4 s
            { _tag: "TranscriptDone", role: "assistant", ...first, text },
            { _tag: "ResponseDone", responseId: "r0", stopReason: "complete" }
          )
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r1" })
          const second = { responseId: "r1", itemId: "i1" } as const
          yield* line.emit({
            _tag: "TranscriptDelta",
            role: "assistant",
            ...second,
            delta: "one two three four five six"
          })
          yield* line.emit({ _tag: "AudioDelta", ...second, audio: new Uint8Array(9600 * 2) })
          yield* line.drop()
        })
      )
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(yield* texts(call), ["Nice to meet you, my dear Ada.", "one two three four five six"])
    })
  )

  it.effect("words that come after the cut are told as heard if their sound was", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(({ line, sound, words }) =>
        Effect.gen(function* () {
          yield* words("one two ")
          yield* sound(4)
          yield* line.expect("Interrupt")
          yield* words("three four five six seven eight")
          yield* line.emit(done)
        })
      )
      yield* BidiTest.advance("2 seconds")
      yield* call.interrupt()
      yield* BidiTest.settle
      assert.deepStrictEqual(yield* texts(call), ["one two three four"])
    })
  )

  it.effect("words that come after the cut stand before what the user said then", () =>
    Effect.gen(function* () {
      const { call } = yield* speaking(({ line, sound, words }) =>
        Effect.gen(function* () {
          yield* sound(4)
          yield* line.wait("2 seconds")
          yield* line.hear("Wait!")
          yield* sound(4) // it takes a moment until the model has stopped
          yield* words("one two three four five six seven eight")
          yield* line.emit({
            _tag: "TranscriptDone",
            role: "assistant",
            responseId: "r",
            itemId: "i",
            text: "one two three four five six seven eight"
          })
        })
      )
      yield* BidiTest.advance("3 seconds")
      const roles = (yield* call.history).content.map(({ role }) => role)
      assert.deepStrictEqual(roles, ["assistant", "user"])
      assert.deepStrictEqual(yield* texts(call), ["one two"])
    })
  )

  it.effect("of a reply that is lost with its connection, the words without sound are not told as said", () =>
    Effect.gen(function* () {
      const { call, model } = yield* speaking(({ line, sound, words }) =>
        Effect.gen(function* () {
          yield* words(long)
          yield* sound(1)
          yield* line.drop()
        })
      )
      yield* BidiTest.advance("5 seconds")
      const seeded = model.log().flatMap((entry) => (entry._tag === "Seeded" ? [entry.history] : []))
      const told = seeded.at(-1)?.[0]
      assert.isTrue(told?._tag === "Assistant" && told.text.length <= 25 && told.text.startsWith("one two"))
      const [heard] = yield* texts(call)
      assert.strictEqual(heard, told?._tag === "Assistant" ? told.text : undefined)
    })
  )
})

describe("history, while the agent speaks,", () => {
  for (const speakers of ["one", "remote"] as const) {
    it.effect(`is what was heard so far, with all of the words beside it (${speakers})`, () =>
      Effect.gen(function* () {
        const { call } = yield* speaking(
          ({ line, sound, words }) =>
            Effect.gen(function* () {
              yield* words("one two three four five six seven eight")
              yield* sound(8)
              yield* line.emit(done)
            }),
          speakers
        )
        yield* BidiTest.advance("10 millis")
        assert.deepStrictEqual(yield* texts(call), [])
        yield* BidiTest.advance("4 seconds")
        const [message] = (yield* call.history).content
        assert.deepStrictEqual(yield* texts(call), ["one two three four"])
        assert.deepInclude(message?.options["effect-bidi"], {
          interrupted: false,
          full: "one two three four five six seven eight"
        })
        yield* BidiTest.advance("4 seconds")
        assert.deepStrictEqual(yield* texts(call), ["one two three four five six seven eight"])
        assert.notProperty((yield* call.history).content[0]?.options["effect-bidi"], "full")
      })
    )
  }

  it.effect("knows nothing yet of a reply that is queued behind", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.andThen(
          line.reply({ text: "First of all.", audio: "3 seconds" }),
          line.reply({ text: "And then.", audio: "3 seconds" })
        )
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* BidiTest.advance("3100 millis")
      assert.deepStrictEqual(yield* texts(call), ["First of all."])
      yield* BidiTest.advance("3 seconds")
      assert.deepStrictEqual(yield* texts(call), ["First of all.", "And then."])
    })
  )
})
