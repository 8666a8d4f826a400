import { assert, describe, it } from "@effect/vitest"
import type { Command, ToolDefinition } from "@effect-bidi/core/BidiModel"
import * as Audio from "@effect-bidi/core/Audio"
import * as Result from "effect/Result"
import { encode } from "../src/internal/encode.ts"
import { promptStart, sessionStart, textBlock } from "../src/internal/events.ts"
import { resolve } from "../src/internal/settings.ts"
import type { Options } from "../src/Options.ts"
import { send, start } from "./support/protocol.ts"

const settings = (options: Options = {}) => resolve(options)
const plain = { mediaType: "text/plain" }

/** A block of text as it is on the wire. */
const block = (contentName: string, role: string, interactive: boolean, ...texts: ReadonlyArray<string>) => [
  {
    contentStart: {
      promptName: "p",
      contentName,
      type: "TEXT",
      interactive,
      role,
      textInputConfiguration: plain
    }
  },
  ...texts.map((content) => ({ textInput: { promptName: "p", contentName, content } })),
  { contentEnd: { promptName: "p", contentName } }
]

const refusal = (command: Command) => {
  const state = start()
  const batch = encode(state, command)
  assert(Result.isFailure(batch))
  // nothing of it is left
  assert.isFalse(state.asked)
  return batch.failure.reason
}

describe("the beginning of a session", () => {
  const tool: ToolDefinition = {
    name: "weather",
    description: "Tells the weather.",
    parameters: { type: "object", properties: { city: { type: "string" } } }
  }
  const setup = { system: undefined, tools: [], resume: undefined }
  const prompt = (options: Options, tools: ReadonlyArray<ToolDefinition> = []) =>
    (promptStart("p", settings(options), { ...setup, tools }) as any).promptStart

  it("is that of the defaults", () => {
    assert.deepStrictEqual(sessionStart(settings()), {
      sessionStart: { inferenceConfiguration: { maxTokens: 1024, topP: 0.9, temperature: 0.7 } }
    })
    assert.deepStrictEqual(prompt({}), {
      promptName: "p",
      textOutputConfiguration: plain,
      audioOutputConfiguration: {
        mediaType: "audio/lpcm",
        sampleRateHertz: 24_000,
        sampleSizeBits: 16,
        channelCount: 1,
        voiceId: "matthew",
        encoding: "base64",
        audioType: "SPEECH"
      }
    })
  })

  it("is that of the options", () => {
    const inference = { maxTokens: 10, topP: 0.1, temperature: 0 }
    assert.deepStrictEqual(sessionStart(settings({ inference, endpointing: "LOW" })), {
      sessionStart: {
        inferenceConfiguration: inference,
        turnDetectionConfiguration: { endpointingSensitivity: "LOW" }
      }
    })
    const { audioOutputConfiguration } = prompt({ voice: { id: "new" }, output: Audio.pcm(8000) })
    assert.deepInclude(audioOutputConfiguration, { voiceId: "new", sampleRateHertz: 8000 })
  })

  it("has the tools, and whether they must be called", () => {
    const { toolConfiguration, toolUseOutputConfiguration } = prompt({}, [tool, { ...tool, description: undefined }])
    assert.deepStrictEqual(toolUseOutputConfiguration, { mediaType: "application/json" })
    const inputSchema = { json: JSON.stringify(tool.parameters) }
    assert.deepStrictEqual(toolConfiguration, {
      tools: [
        { toolSpec: { name: "weather", description: "Tells the weather.", inputSchema } },
        { toolSpec: { name: "weather", inputSchema } }
      ]
    })
    const choice = (toolChoice: Options["toolChoice"] & {}) =>
      prompt({ toolChoice }, [tool]).toolConfiguration.toolChoice
    assert.deepStrictEqual(choice("auto"), { auto: {} })
    assert.deepStrictEqual(choice("any"), { any: {} })
    assert.deepStrictEqual(choice({ tool: "weather" }), { tool: { name: "weather" } })
  })

  it("has the system prompt in one event, however long it is", () => {
    const system = "x".repeat(5000)
    assert.deepStrictEqual(textBlock("p", "c", "SYSTEM", system, false), block("c", "SYSTEM", false, system))
  })
})

describe("a command", () => {
  it("is a message of the user, which is answered", () => {
    const state = start()
    const events = send(state, { _tag: "UserMessage", id: "m", parts: ["Hello,", "you."] })
    assert.deepStrictEqual(events, block("p-1", "USER", true, "Hello,\nyou."))
    assert.isTrue(state.asked)
  })

  it("is text in pieces of 1 KB at most, cut between characters", () => {
    const text = `${"word ".repeat(250)}${"😀".repeat(400)}`
    const events = send(start(), { _tag: "UserMessage", id: "m", parts: [text] })
    const contents = events.flatMap((event) => (event.textInput === undefined ? [] : [event.textInput.content]))
    assert.isAbove(contents.length, 2)
    assert.strictEqual(contents.join(""), text)
    for (const content of contents) {
      assert.isAtMost(Buffer.byteLength(content), 1024)
      assert.notInclude(content, "\uFFFD")
    }
    assert.isTrue(contents[0].endsWith("word "))
  })

  it("is the answer to calls: a block for each, one after the other", () => {
    const outputs = [
      { id: "call_1", name: "a", result: { n: 1 }, isFailure: false },
      { id: "call_2", name: "b", result: "no", isFailure: true }
    ]
    const events = send(start(), { _tag: "ToolOutputs", outputs })
    assert.deepStrictEqual(events.slice(0, 3), [
      {
        contentStart: {
          promptName: "p",
          contentName: "p-1",
          type: "TOOL",
          interactive: false,
          role: "TOOL",
          toolResultInputConfiguration: { toolUseId: "call_1", type: "TEXT", textInputConfiguration: plain }
        }
      },
      { toolResult: { promptName: "p", contentName: "p-1", content: '{"n":1}' } },
      { contentEnd: { promptName: "p", contentName: "p-1" } }
    ])
    assert.deepStrictEqual(
      events.slice(3).map((event) => Object.keys(event)[0]),
      ["contentStart", "toolResult", "contentEnd"]
    )
    assert.strictEqual(events[3].contentStart.toolResultInputConfiguration.toolUseId, "call_2")
  })

  it.each([
    [{ a: [1] }, false, { a: [1] }],
    ["text", false, { result: "text" }],
    [null, false, { result: null }],
    [7, false, { result: 7 }],
    [[1, 2], false, { result: [1, 2] }],
    ["broken", true, { error: { message: "broken" } }],
    [{ reason: "broken" }, true, { error: { reason: "broken" } }],
    [null, true, { error: { message: "null" } }],
    [[1], true, { error: { message: "[1]" } }]
  ])("tells a result as a JSON object: %j, failed: %s", (result, isFailure, expected) => {
    const [, { toolResult }] = send(start(), {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "a", result, isFailure }]
    })
    assert.deepStrictEqual(JSON.parse(toolResult.content), expected)
  })

  it("asks for a reply, in words", () => {
    assert.deepStrictEqual(
      send(start(), { _tag: "Respond", instructions: "Greet." }),
      block("p-1", "USER", true, "[Greet.]")
    )
    assert.deepStrictEqual(
      send(start(), { _tag: "Respond" }),
      block("p-1", "USER", true, "[It is your turn to speak.]")
    )
  })

  it("tells a fact that is to be answered at once, and any other with the next text", () => {
    const state = start()
    assert.deepStrictEqual(send(state, { _tag: "Note", text: "It rains.", respond: false }), [])
    assert.isFalse(state.asked)
    assert.deepStrictEqual(
      send(state, { _tag: "Note", text: "It pours.", respond: true }),
      block("p-1", "USER", true, "[It rains.]\n[It pours.]")
    )
    assert.deepStrictEqual(
      send(state, { _tag: "UserMessage", id: "m", parts: ["Hm"] }),
      block("p-2", "USER", true, "Hm")
    )
  })

  it("that interrupts sends nothing: the provider hears by itself", () => {
    assert.deepStrictEqual(send(start(), { _tag: "Interrupt", responseId: "p-r1", items: [] }), [])
  })

  it("that this wire does not have is refused", () => {
    const image = { _tag: "ImageInput", image: Uint8Array.of(1), mimeType: "image/png" } as const
    const picture = refusal({ _tag: "UserMessage", id: "m", parts: ["Look", image] })
    assert(picture._tag === "Unsupported")
    assert.strictEqual(picture.feature, "images")
    for (const _tag of ["TurnStart", "TurnCommit", "TurnClear"] as const) {
      const manual = refusal({ _tag })
      assert(manual._tag === "Unsupported")
      assert.strictEqual(manual.feature, "manual turns")
    }
    assert.strictEqual(refusal({ _tag: "Update", instructions: "You are Bob.", tools: [] })._tag, "Unsupported")
    assert.strictEqual(refusal({ _tag: "UserMessage", id: "m", parts: [" "] })._tag, "InvalidRequest")
  })
})
