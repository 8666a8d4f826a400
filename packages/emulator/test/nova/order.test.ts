/**
 * What may come when, and what may stand in it.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Nova,
  audio,
  audioOutput,
  audioStart,
  block,
  contentEnd,
  contentStart,
  event,
  promptEnd,
  promptStart,
  result,
  resultStart,
  saidIn,
  sessionEnd,
  sessionStart,
  textInput,
  tools,
  words
} from "../support/nova.ts"
import type { Json } from "../support/nova.ts"
import { quiet } from "../support/sound.ts"

const begun = [sessionStart(), promptStart()]
const listening = [...begun, audioStart()]
const plain = { textInputConfiguration: { mediaType: "text/plain" } }
const pause = audio(quiet(100, 16_000))

const exceptionOf = (events: ReadonlyArray<Json | string>): Json | undefined => {
  const stream = new Nova({ begin: null })
  stream.send(...events)
  return stream.exception
}

describe("a whole stream", () => {
  it("in its order is accepted, and ends when the client ends it", () => {
    const stream = new Nova({ begin: null })
    stream.send(
      sessionStart({
        inferenceConfiguration: { maxTokens: 1024, topP: 0.9, temperature: 0.7 },
        turnDetectionConfiguration: { endpointingSensitivity: "HIGH" }
      }),
      promptStart(),
      ...block("SYSTEM", "Be brief."),
      ...block("SYSTEM_SPEECH", "Speak softly."),
      ...block("USER", ["my name ", "is Ada"]),
      ...block("ASSISTANT", "Nice to meet you, Ada."),
      audioStart(),
      ...pause,
      ...words("what is my name")
    )
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "Your name is Ada.")
    stream.send(contentEnd("audio"), promptEnd)
    assert.deepStrictEqual(Object.keys(stream.events.at(-1)!.event), ["completionEnd"])
    assert.deepStrictEqual(stream.closes, [])
    stream.send(sessionEnd)
    assert.deepStrictEqual(stream.closes, [{ code: 0, reason: "sessionEnd" }])
    assert.isUndefined(stream.exception)
  })

  it("may end before anything was said, without a completion", () => {
    const stream = new Nova()
    stream.send(contentEnd("audio"), promptEnd, sessionEnd)
    assert.deepStrictEqual(stream.events, [])
    assert.strictEqual(stream.closes.length, 1)
  })

  it("ends in the middle of a word when the client wants it to", () => {
    const stream = new Nova({ speed: 8 })
    stream.send(...words("tell me a long story"))
    stream.pass(500)
    stream.send(contentEnd("audio"), promptEnd)
    assert.deepStrictEqual(stream.closes, [])
    stream.send(sessionEnd)
    assert.strictEqual(stream.closes.length, 1)
    const before = stream.events.length
    stream.pass(60_000)
    assert.strictEqual(stream.events.length, before)
  })

  it("after the end of the prompt is answered to its end", () => {
    const stream = new Nova({ speed: 8 })
    stream.send(...words("my name is Ada"), contentEnd("audio"), promptEnd)
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "Nice to meet you, Ada.")
    assert.deepStrictEqual(Object.keys(stream.events.at(-1)!.event), ["completionEnd"])
  })
})

describe("an order that is wrong", () => {
  it.each([
    ["a prompt without a session", [promptStart()], /sessionStart must come first/],
    ["two sessions", [sessionStart(), sessionStart()], /Session has already been started/],
    ["two prompts", [...begun, promptStart()], /Prompt has already been started/],
    [
      "content without a prompt",
      [sessionStart(), ...block("SYSTEM", "x")],
      /No open prompt found for prompt name: prompt/
    ],
    [
      "content of another prompt",
      [...begun, event("contentEnd", { promptName: "other", contentName: "x" })],
      /No open prompt found for prompt name: other/
    ],
    ["two instructions", [...begun, ...block("SYSTEM", "a"), ...block("SYSTEM", "b")], /Duplicate SYSTEM content/],
    [
      "instructions after history",
      [...begun, ...block("USER", "a"), ...block("SYSTEM", "b")],
      /SYSTEM content must come before/
    ],
    ["instructions after sound", [...listening, ...block("SYSTEM", "b")], /SYSTEM content must come before/],
    ["history that the assistant begins", [...begun, ...block("ASSISTANT", "a")], /must be from USER/],
    ["history after sound", [...listening, ...block("USER", "a")], /history must come before audio/],
    ["typed words before sound", [...begun, ...words("hello")], /needs an open AUDIO content/],
    ["typed words after sound", [...listening, contentEnd("audio"), ...words("hello")], /needs an open AUDIO content/],
    [
      "a second container of sound",
      [
        ...listening,
        contentEnd("audio"),
        { ...audioStart(), event: { contentStart: { ...audioStart().event.contentStart, contentName: "b" } } }
      ],
      /Duplicate AUDIO content/
    ],
    ["a name twice", [...listening, audioStart()], /Content name has already been used: audio/],
    ["sound before its container", [...begun, ...pause], /No open content found for content name: audio/],
    [
      "sound after its container",
      [...listening, contentEnd("audio"), ...pause],
      /No open content found for content name: audio/
    ],
    ["text for no content", [...begun, textInput("x", "y")], /No open content found for content name: x/],
    [
      "text in the container of sound",
      [...listening, textInput("audio", "y")],
      /No open content found for content name: audio/
    ],
    ["the end of no content", [...begun, contentEnd("x")], /No open content found for content name: x/],
    ["the end of a prompt whose content is open", [...listening, promptEnd], /Content is still open: audio/],
    ["the end of a session whose prompt is open", [...begun, sessionEnd], /Prompt is still open: prompt/],
    ["content after the prompt", [...begun, promptEnd, audioStart()], /No open prompt found/],
    ["a result of no call", [...listening, resultStart("r", "call-x")], /No open tool use found for toolUseId: call-x/],
    ["instructions that are interactive", [...begun, ...block("SYSTEM", "x", true)], /Invalid content/],
    ["an assistant that types", [...listening, ...block("ASSISTANT", "x", true)], /Invalid content/],
    ["sound that is not interactive", [...begun, audioStart(16_000, { interactive: false })], /Invalid content/]
  ] as const)("is %s", (_, events, message) => {
    const exception = exceptionOf(events)
    assert.strictEqual(exception?.type, "validationException")
    assert.match(exception?.message, /^RequestId=[0-9a-f-]{36} : /)
    assert.match(exception?.message, message)
  })
})

describe("history", () => {
  it("has texts of 1 KB at most, counted in bytes", () => {
    assert.isUndefined(exceptionOf([...begun, ...block("USER", "x".repeat(1024))]))
    assert.match(
      exceptionOf([...begun, ...block("USER", "é".repeat(513))])?.message,
      /over max limit of 1024 bytes: 1026/
    )
    // instructions may be longer
    assert.isUndefined(exceptionOf([...begun, ...block("SYSTEM", "x".repeat(5000))]))
  })

  it("has 40 KB at most", () => {
    const kilobytes = (count: number) =>
      block(
        "USER",
        Array.from({ length: count }, () => "x".repeat(1024))
      )
    assert.isUndefined(exceptionOf([...begun, ...kilobytes(40)]))
    assert.match(
      exceptionOf([...begun, ...kilobytes(40), ...block("ASSISTANT", "y")])?.message,
      /Chat history is over max limit. Trim chat history and try again./
    )
  })
})

describe("a chunk that cannot be read", () => {
  const prompted = (fields: Json) => [sessionStart(), promptStart(fields)]
  it.each([
    ["no JSON", ["{"], /no JSON/],
    ["no event", ["{}"], /event is missing/],
    ["nothing in an event", ['{"event":{}}'], /one thing at a time/],
    ["two things in an event", [{ event: { sessionStart: {}, sessionEnd: {} } }], /one thing at a time/],
    ["an unknown event", [event("connectionEnd")], /nobody knows event.connectionEnd/],
    ["an unknown field", [sessionStart({ foo: 1 })], /nobody knows event.sessionStart.foo/],
    [
      "a temperature of 2",
      [sessionStart({ inferenceConfiguration: { temperature: 2 } })],
      /temperature is 2, not 0 to 1/
    ],
    ["an unknown sensitivity", [sessionStart({ turnDetectionConfiguration: { endpointingSensitivity: "X" } })], /'X'/],
    ["a prompt without its sound", prompted({ audioOutputConfiguration: null }), /audioOutputConfiguration is missing/],
    [
      "sound at 44.1 kHz",
      prompted({ audioOutputConfiguration: { ...audioOutput, sampleRateHertz: 44_100 } }),
      /sampleRateHertz/
    ],
    [
      "a schema that is an object",
      prompted({ toolConfiguration: { tools: [{ toolSpec: { name: "f", inputSchema: { json: {} } } }] } }),
      /json is an object, not a string/
    ],
    [
      "a schema that is no JSON",
      prompted({ toolConfiguration: { tools: [{ toolSpec: { name: "f", inputSchema: { json: "{" } } }] } }),
      /json is no JSON/
    ],
    ["a name with a dot", prompted(tools(["fs.read", { type: "object", properties: {} }])), /name is not/],
    ["a name of 65", prompted(tools(["x".repeat(65), { type: "object", properties: {} }])), /name is not/],
    [
      "a schema with more than the guide knows",
      prompted(tools(["f", { type: "object", properties: {}, additionalProperties: false }])),
      /has additionalProperties at the top/
    ],
    ["a schema without properties", prompted(tools(["f", { type: "object" }])), /has no properties/],
    ["a schema that is no object", prompted(tools(["f", { type: "string" }])), /not of the type object/],
    [
      "a schema with a reference",
      prompted(tools(["f", { type: "object", properties: { a: { $ref: "#/$defs/A" } } }])),
      /has a \$ref/
    ],
    [
      "content without its configuration",
      [...begun, contentStart("x", { type: "TEXT", role: "USER", interactive: false })],
      /no configuration/
    ],
    [
      "a result without its kind",
      [
        ...begun,
        contentStart("x", {
          type: "TOOL",
          role: "TOOL",
          toolResultInputConfiguration: { toolUseId: "x", type: "TEXT" }
        })
      ],
      /textInputConfiguration is missing/
    ],
    [
      "half a sample",
      [...listening, event("audioInput", { promptName: "prompt", contentName: "audio", content: "AA==" })],
      /no sound/
    ],
    [
      "text of another type",
      [
        ...begun,
        contentStart("x", { type: "TEXT", role: "USER", ...plain, textInputConfiguration: { mediaType: "text/html" } })
      ],
      /text\/html/
    ]
  ] as const)("is %s", (_, events, detail) => {
    const exception = exceptionOf(events)
    assert.strictEqual(exception?.type, "validationException")
    assert.include(
      exception?.message,
      "Unable to parse input chunk. Please check input format contains correct format."
    )
    assert.match(exception?.message, detail)
  })

  it("a voice that nobody has", () => {
    const exception = exceptionOf(prompted({ audioOutputConfiguration: { ...audioOutput, voiceId: "marin" } }))
    assert.match(exception?.message, /Received invalid voiceId/)
  })

  it("is one that another layer could not read, either", () => {
    const stream = new Nova()
    stream.input({ _tag: "Unreadable", reason: "The message checksum does not match." })
    assert.match(stream.exception?.message, /checksum does not match/)
  })
})

it("after an exception nothing more is said", () => {
  const stream = new Nova({ speed: 8 })
  stream.send(...words("tell me a long story"))
  stream.pass(500)
  stream.send(contentEnd("nothing"))
  assert.strictEqual(stream.exception?.type, "validationException")
  assert.deepStrictEqual(stream.closes, [{ code: 0, reason: "validationException" }])
  stream.send(...words("hello"), ...result({ toolUseId: "x" }, {}))
  assert.deepStrictEqual(stream.pass(600_000), [])
})
