import { BidiAgent, BidiError } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Writable } from "node:stream"
import { pipe, terminal } from "./support/terminal.ts"

const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

const add = Tool.make("add", {
  parameters: Schema.Struct({ a: Schema.Int, b: Schema.Int }),
  success: Schema.Int,
  failureMode: "return"
})
const toolkit = Toolkit.make(add)
const handlers = toolkit.toLayer({ add: ({ a, b }) => Effect.succeed(a + b) })

const agentOf = (script: BidiTest.Script) =>
  Effect.gen(function* () {
    const model = yield* BidiTest.model(script)
    return yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
  })

describe("on a terminal", () => {
  it.effect("the agent speaks above the line that is being typed", () =>
    Effect.gen(function* () {
      const { lines, stdin, stdout, type } = terminal(30)
      const agent = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.reply({ text: "Hello, this is a longer answer that wraps.", over: "2 seconds" })
          yield* line.expectText("Bye")
        })
      )
      const call = yield* agent.start({
        inputs: [BidiConsole.input({ stdin, stdout })],
        outputs: [BidiConsole.output({ stdout })]
      })
      yield* BidiTest.settle
      assert.deepStrictEqual(yield* lines, [">"])
      type("Hi\r")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* lines, ["> Hi", "agent: Hello, this is a", ">"])
      type("By")
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(yield* lines, ["> Hi", "agent: Hello, this is a longer", "answer that wraps.", "> By"])
      type("e\r")
      yield* BidiTest.settle
      yield* call.stop("user_request")
      yield* call.await
      assert.deepStrictEqual(
        yield* lines,
        [
          "> Hi",
          "agent: Hello, this is a longer",
          "answer that wraps.",
          "> Bye",
          "  ■ the conversation has ended: you asked to stop"
        ].flatMap((line) => line.match(/.{1,30}/g) ?? [])
      )
    })
  )

  it.effect("what stands before the prompt may change while something is typed", () =>
    Effect.gen(function* () {
      const { lines, stdin, stdout, type } = terminal(30)
      const agent = yield* agentOf((line) => line.accept)
      const status = Stream.make("[=  ] ", "[== ] ").pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep("1 second"))
      )
      yield* agent.start({ inputs: [BidiConsole.input({ stdin, stdout, status })] })
      yield* BidiTest.settle
      type("Hel")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* lines, ["[=  ] > Hel"])
      type("lo")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* lines, ["[== ] > Hello"])
    })
  )

  it.effect("typing while the agent speaks interrupts it", () =>
    Effect.gen(function* () {
      const { lines, stdin, stdout, type } = terminal(60)
      const agent = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Tell me a story")
          yield* Effect.forkChild(line.reply({ text: "one two three four five six seven eight", over: "8 seconds" }))
          yield* line.expect("Interrupt")
          yield* line.expectText("Enough")
          yield* line.reply({ text: "All right." })
          yield* line.wait("1 hour")
        })
      )
      yield* agent.start({
        inputs: [BidiConsole.input({ stdin, stdout })],
        outputs: [BidiConsole.output({ stdout })]
      })
      type("Tell me a story\r")
      yield* BidiTest.advance("3500 millis")
      type("Enough\r")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* lines, [
        "> Tell me a story",
        "agent: one two three",
        "> Enough",
        "  ✂ interrupted",
        "agent: All right.",
        ">"
      ])
    })
  )

  it.effect("a planned text is printed once, and corrected where it was not said", () =>
    Effect.gen(function* () {
      const { lines, stdout } = terminal(60)
      const words = { role: "assistant", responseId: "r", itemId: "i" } as const
      const agent = yield* agentOf((line) =>
        line.emit(
          { _tag: "ResponseStarted", responseId: "r" },
          { _tag: "TranscriptDelta", ...words, delta: "One two three.", preview: true },
          { _tag: "TranscriptDone", ...words, text: "One two three." },
          { _tag: "TranscriptDelta", ...words, itemId: "j", delta: " Four five.", preview: true },
          { _tag: "TranscriptDone", ...words, itemId: "k", text: " Six." },
          { _tag: "ResponseDone", responseId: "r", stopReason: "complete" }
        )
      )
      yield* agent.start({ outputs: [BidiConsole.output({ stdout })] })
      yield* BidiTest.settle
      assert.deepStrictEqual(yield* lines, ["agent: One two three. Four five.", "agent: One two three. Six."])
    })
  )
})

describe("with a speaker", () => {
  const story = "one two three four five six seven eight nine ten"

  it.effect("words appear as they are heard, and what was not heard never does", () =>
    Effect.gen(function* () {
      const { lines, stdout } = terminal(60)
      const agent = yield* agentOf((line) => line.reply({ text: story, audio: "10 seconds" }))
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output, BidiConsole.output({ stdout })] })
      yield* BidiTest.advance("10 millis")
      assert.deepStrictEqual(yield* lines, [])
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(yield* lines, ["agent: one two"])
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(yield* lines, ["agent: one two three four"])
      yield* call.interrupt()
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* lines, ["agent: one two three four", "  ✂ interrupted after 4.0 s of speech"])
    })
  )

  it.effect("words that were heard are all there when the next line is typed", () =>
    Effect.gen(function* () {
      const { stdin, stdout, text } = pipe()
      const agent = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.reply({ text: story, audio: "10 seconds" })
          yield* line.expectText("Bye")
          yield* line.reply({ text: "Bye.", audio: "1 second" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({
        inputs: [BidiConsole.input({ stdin, stdout })],
        outputs: [speaker.output, BidiConsole.output({ stdout })]
      })
      stdin.write("Hi\n")
      stdin.end("Bye\n")
      yield* BidiTest.advance("1 minute")
      yield* call.await
      assert.deepStrictEqual(text().split("\n").slice(0, 4), ["> Hi", `agent: ${story}`, "> Bye", "agent: Bye."])
    })
  )

  it.effect("without one, seconds of speech mean nothing and are not shown", () =>
    Effect.gen(function* () {
      const { lines, stdout } = terminal(60)
      const agent = yield* agentOf((line) => line.reply({ text: story, audio: "10 seconds", unfinished: true }))
      const call = yield* agent.start({ outputs: [BidiConsole.output({ stdout })] })
      yield* BidiTest.advance("2 seconds")
      yield* call.interrupt()
      yield* BidiTest.settle
      assert.deepStrictEqual(yield* lines, [`agent: ${story}`, "  ✂ interrupted"])
    })
  )
})

describe("through pipes", () => {
  it.effect("each line waits for the reply to the one before, and the end of the input is the end", () =>
    Effect.gen(function* () {
      const { stdin, stdout, text } = pipe()
      const agent = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 2) {
            yield* line.expectText("Thanks.")
            return void (yield* line.reply({ text: "You are welcome." }))
          }
          yield* line.expectText("How much is 1 + 2?")
          yield* line.callTools(["add", { a: 1, b: 2 }])
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "It is 3.", audio: "2 seconds", over: "1 second" })
          yield* line.expectText("Thanks.")
          yield* line.drop(lost)
        })
      )
      const fiber = yield* Effect.forkChild(
        agent.run({
          inputs: [BidiConsole.input({ stdin, stdout, prompt: "you: " })],
          outputs: [BidiConsole.output({ stdout })]
        })
      )
      stdin.end("How much is 1 + 2?\n\nThanks.\n")
      yield* BidiTest.advance("4 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "complete")
      assert.strictEqual(
        text(),
        [
          "you: How much is 1 + 2?",
          '  → add {"a":1,"b":2}',
          "  ✓ add 3",
          "agent: It is 3.",
          "you: Thanks.",
          "  ↻ the connection was lost, reconnecting",
          "  ↻ connected again",
          "agent: You are welcome.",
          "  ■ the conversation has ended: everything was said",
          ""
        ].join("\n")
      )
      assert.notInclude(text(), "\x1b")
    })
  )
})

describe("what comes from elsewhere", () => {
  it.effect("writes neither the title nor the screen: control sequences are shown", () =>
    Effect.gen(function* () {
      const evil = "\x1b]0;owned\x07\x1b[2J\x9b1A\r\u202e\u2067"
      const { stdout, text } = pipe()
      const shout = Tool.make("shout", { parameters: Schema.Struct({ what: Schema.String }), success: Schema.String })
      const kit = Toolkit.make(shout)
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.hear(`user ${evil}`)
          yield* line.callTools(["shout", { what: evil }])
          yield* line.expect("ToolOutputs")
          yield* line.emit({
            _tag: "Problem",
            error: new BidiError.BidiError({ reason: new BidiError.ServerFault({ message: `error ${evil}` }) })
          })
          yield* line.reply({ text: `agent ${evil} says` })
        })
      )
      const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(
        Effect.provide([model.layer, kit.toLayer({ shout: () => Effect.succeed(`result ${evil}`) })])
      )
      const call = yield* agent.start({ outputs: [BidiConsole.output({ stdout })] })
      yield* BidiTest.advance("1 second")
      yield* call.stop()
      yield* call.await
      assert.notMatch(text(), /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u)
      assert.include(text(), "result \u241b]0;owned\u2407\u241b[2J\ufffd1A\u240d")
      assert.include(text(), "agent \u241b]0;owned")
    })
  )
})

describe("a pipe that nobody reads any more", () => {
  it.effect("ends the output quietly, and nothing else", () =>
    Effect.gen(function* () {
      let writes = 0
      const stdout = new Writable({
        write(_chunk, _encoding, done) {
          done(++writes > 2 ? Object.assign(new Error("write EPIPE"), { code: "EPIPE" }) : null)
        }
      })
      const agent = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          while (true) {
            yield* line.expect("UserMessage")
            yield* line.reply({ text: "one two three four five" })
          }
        })
      )
      const call = yield* agent.start({ outputs: [BidiConsole.output({ stdout })] })
      for (const text of ["Hi", "Go on", "More"]) {
        yield* call.send(text)
        yield* BidiTest.advance("1 second")
      }
      yield* call.stop("user_request")
      assert.strictEqual(yield* call.await, "user_request")
      assert.strictEqual(writes, 3)
    })
  )
})
