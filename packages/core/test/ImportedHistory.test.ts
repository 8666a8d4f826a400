import { SessionStore, Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"
import { agentWith } from "./support/agent.ts"
import { additions } from "../src/internal/history/additions.ts"

const fromPrompt = (prompt: Prompt.Prompt) => Effect.runSync(Transcript.fromPrompt(prompt))

const words = (prompt: Prompt.Prompt) =>
  prompt.content.map((message) => {
    const text =
      typeof message.content === "string"
        ? message.content
        : message.content.map((part) => (part.type === "text" ? part.text : part.type)).join(" ")
    return `${message.role}: ${text}`
  })

const exchange = (question: string, answer: string) =>
  Prompt.make([
    { role: "user", content: question },
    { role: "assistant", content: answer }
  ])

describe("history that is imported", () => {
  it.effect("is put behind what is stored, and replaces none of it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const talk = (history: Prompt.Prompt) =>
        Effect.scoped(
          Effect.gen(function* () {
            const call = yield* agent.start({ sessionId: "ada", history })
            yield* BidiTest.settle
            return words(yield* call.history)
          })
        )
      const last = yield* Effect.andThen(
        talk(exchange("I am Ada.", "Hello Ada.")),
        talk(exchange("I like clocks.", "So do I."))
      ).pipe(Effect.provide(SessionStore.layerMemory))
      assert.deepStrictEqual(last, [
        "user: I am Ada.",
        "assistant: Hello Ada.",
        "user: I like clocks.",
        "assistant: So do I."
      ])
    })
  )

  it("has ids that nothing else has", () => {
    const one = fromPrompt(exchange("Yes?", "Yes."))
    const other = fromPrompt(exchange("Yes?", "Yes."))
    assert.strictEqual(new Set([...one, ...other].map(({ id }) => id)).size, 4)
  })

  const call = (id: string, n: number): ReadonlyArray<Prompt.MessageEncoded> => [
    { role: "assistant", content: [{ type: "tool-call", id, name: "add", params: { n }, providerExecuted: false }] },
    {
      role: "tool",
      content: [{ type: "tool-result", id, name: "add", result: n, isFailure: false, providerExecuted: false }]
    }
  ]

  it("keeps calls apart that have one id", () => {
    const transcript = fromPrompt(Prompt.make([...call("call_1", 1), ...call("call_1", 2)]))
    assert.deepStrictEqual(
      transcript.map((entry) => (entry._tag === "ToolCall" ? [entry.input, entry.output?.result] : [])),
      [
        [{ n: 1 }, 1],
        [{ n: 2 }, 2]
      ]
    )
  })

  it("adds to another what it does not have, whatever the ids are", () => {
    const stored = fromPrompt(Prompt.make([...call("call_1", 1)]))
    const again = additions(stored, stored, () => "new")
    assert.lengthOf(again, 0)
    const [other] = additions(stored, fromPrompt(Prompt.make([...call("call_1", 2)])), () => "new")
    assert.strictEqual(other?.id, "new")
    assert.deepInclude(other, { _tag: "ToolCall", input: { n: 2 } })
  })
})
