import { assert, describe, it } from "@effect/vitest"
import { Fold, clock, one, saidIn, toolOutput, typesOf, update, userText, assistantText } from "./support/fold.ts"
import type { Event } from "./support/fold.ts"

const errorIn = (events: ReadonlyArray<Event>) => one(events, "error").error as Record<string, unknown>
const create = { type: "response.create" }

describe("the session", () => {
  it("greets with all its settings and the time of its end", () => {
    const [greeting] = new Fold({ sessionMs: 60_000 }).events
    assert.strictEqual(greeting?.type, "session.created")
    const { expires_at, id, ...session } = greeting.session
    assert.match(id, /^sess_\w{21}$/)
    assert.strictEqual(expires_at, 60)
    assert.deepStrictEqual(session, {
      object: "realtime.session",
      type: "realtime",
      model: "gpt-realtime-2.1",
      output_modalities: ["audio"],
      instructions: "",
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
      max_output_tokens: "inf",
      reasoning: null,
      truncation: "auto",
      prompt: null,
      tracing: null,
      include: null,
      audio: {
        input: {
          format: { type: "audio/pcm", rate: 24_000 },
          transcription: null,
          noise_reduction: null,
          turn_detection: {
            type: "server_vad",
            threshold: 0.5,
            prefix_padding_ms: 300,
            silence_duration_ms: 200,
            idle_timeout_ms: null,
            create_response: true,
            interrupt_response: true
          }
        },
        output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin", speed: 1 }
      }
    })
  })

  it("echoes the effective settings after an update, and keeps what was not in it", () => {
    const fold = new Fold()
    const first = one(
      fold.send(
        update({
          instructions: "Be brief.",
          tools: [clock],
          audio: { input: { transcription: { model: "whisper-1" } } }
        })
      ),
      "session.updated"
    )
    assert.strictEqual(first.session.instructions, "Be brief.")
    assert.deepStrictEqual(first.session.audio.input.transcription, {
      model: "whisper-1",
      language: null,
      prompt: null
    })
    const second = one(
      fold.send(
        update({ audio: { input: { turn_detection: { type: "server_vad", threshold: 0.9 } }, output: { speed: 1.2 } } })
      ),
      "session.updated"
    )
    assert.strictEqual(second.session.instructions, "Be brief.")
    assert.deepStrictEqual(second.session.tools, [clock])
    assert.strictEqual(second.session.audio.input.turn_detection.threshold, 0.9)
    assert.strictEqual(second.session.audio.input.turn_detection.silence_duration_ms, 200)
    assert.strictEqual(second.session.audio.output.speed, 1.2)
    const third = one(
      fold.send(
        update({
          audio: { input: { turn_detection: null, transcription: null }, output: { format: { type: "audio/pcmu" } } }
        })
      ),
      "session.updated"
    )
    assert.isNull(third.session.audio.input.turn_detection)
    assert.isNull(third.session.audio.input.transcription)
    assert.deepStrictEqual(third.session.audio.output.format, { type: "audio/pcmu" })
  })

  it.each<[string, object, string, string | null]>([
    ["an unknown field", { bogus_field: 1 }, "unknown_parameter", "session.bogus_field"],
    [
      "an unknown deep field",
      { audio: { output: { loudness: 3 } } },
      "unknown_parameter",
      "session.audio.output.loudness"
    ],
    ["another model", { model: "gpt-4" }, "cannot_update_model", "session.model"],
    ["a wrong type", { instructions: 5 }, "invalid_type", "session.instructions"],
    ["a wrong choice", { tool_choice: "sometimes" }, "invalid_value", "session.tool_choice"],
    ["both modalities", { output_modalities: ["audio", "text"] }, "invalid_value", "session.output_modalities"],
    [
      "16 kHz",
      { audio: { input: { format: { type: "audio/pcm", rate: 16_000 } } } },
      "integer_below_min_value",
      "session.audio.input.format.rate"
    ],
    [
      "a threshold over 1",
      { audio: { input: { turn_detection: { type: "server_vad", threshold: 1.5 } } } },
      "decimal_above_max_value",
      "session.audio.input.turn_detection.threshold"
    ],
    ["too many tokens", { max_output_tokens: 5000 }, "integer_above_max_value", "session.max_output_tokens"],
    ["half a token", { max_output_tokens: 1.5 }, "invalid_type", "session.max_output_tokens"],
    ["a tool without a name", { tools: [{ type: "function" }] }, "missing_required_parameter", "session.tools[0].name"],
    ["a remote tool", { tools: [{ type: "mcp", server_label: "x" }] }, "invalid_value", "session.tools[0].type"],
    [
      "a transcription that hears no pauses",
      { audio: { input: { transcription: { model: "gpt-realtime-whisper" } } } },
      "invalid_value",
      "session.audio.input.turn_detection"
    ]
  ])("refuses %s, and with it the whole update", (_, session, code, param) => {
    const fold = new Fold()
    const error = errorIn(fold.send({ ...update({ instructions: "new", ...session }), event_id: "mine" }))
    assert.deepInclude(error, { type: "invalid_request_error", code, param, event_id: "mine" })
    assert.strictEqual(one(fold.send(update({})), "session.updated").session.instructions, "")
  })

  it("accepts its own model, and its voice until it has spoken", () => {
    const fold = new Fold()
    one(fold.send(update({ model: "gpt-realtime-2.1", audio: { output: { voice: "cedar" } } })), "session.updated")
    fold.ask("hello")
    assert.strictEqual(errorIn(fold.send(update({ audio: { output: { voice: "ash" } } }))).code, "cannot_update_voice")
    one(fold.send(update({ audio: { output: { voice: "cedar" } } })), "session.updated")
  })

  it("expires with an error and 1001, and says nothing after that", () => {
    const fold = new Fold({ sessionMs: 120_000 })
    fold.pass(120_000)
    assert.deepInclude(errorIn(fold.events), {
      code: "session_expired",
      message: "Your session hit the maximum duration of 2 minutes."
    })
    assert.strictEqual(fold.closes[0]?.code, 1001)
    assert.deepStrictEqual(fold.send(create), [])
  })

  it("names events and items the same for the same seed, and never twice", () => {
    const run = (seed: number) => {
      const fold = new Fold({ seed })
      fold.ask("tell me a short story")
      return fold.events.map(({ event_id }) => event_id as string)
    }
    assert.deepStrictEqual(run(3), run(3))
    assert.notDeepEqual(run(3), run(4))
    assert.strictEqual(new Set(run(3)).size, run(3).length)
  })
})

describe("items", () => {
  it("are added and done, one behind the other", () => {
    const fold = new Fold()
    const first = fold.send(userText("one"))
    assert.deepStrictEqual(typesOf(first), ["conversation.item.added", "conversation.item.done"])
    assert.isNull(first[0]!.previous_item_id)
    assert.deepStrictEqual(first[0]!.item, first[1]!.item)
    assert.deepInclude(first[0]!.item, {
      type: "message",
      status: "completed",
      role: "user",
      content: [{ type: "input_text", text: "one" }]
    })
    const second = fold.send({ ...userText("two") })
    assert.strictEqual(second[0]!.previous_item_id, first[0]!.item.id)
    const root = fold.send({ ...userText("zero"), previous_item_id: "root" })
    assert.isNull(root[0]!.previous_item_id)
    const middle = fold.send({ ...userText("one and a half"), previous_item_id: first[0]!.item.id })
    assert.strictEqual(middle[0]!.previous_item_id, first[0]!.item.id)
  })

  it("keep the names that clients give, once", () => {
    const fold = new Fold()
    const mine = { ...userText("one"), item: { ...userText("one").item, id: "msg_1" } }
    assert.strictEqual(fold.send(mine)[0]!.item.id, "msg_1")
    assert.strictEqual(errorIn(fold.send(mine)).code, "item_create_duplicate_item_id")
  })

  it("can be asked for and deleted, and are forgotten then", () => {
    const fold = new Fold()
    const { id } = fold.send(userText("My name is Ada."))[0]!.item
    assert.strictEqual(
      one(fold.send({ type: "conversation.item.retrieve", item_id: id }), "conversation.item.retrieved").item.id,
      id
    )
    assert.strictEqual(
      one(fold.send({ type: "conversation.item.delete", item_id: id }), "conversation.item.deleted").item_id,
      id
    )
    assert.include(saidIn(fold.ask("What is my name?")), "not told me")
  })

  it("of history are remembered like talk", () => {
    const fold = new Fold()
    fold.send(
      update({ tools: [clock] }),
      userText("My name is Ada."),
      assistantText("Nice to meet you."),
      {
        type: "conversation.item.create",
        item: { type: "function_call", call_id: "call_1", name: "current_time", arguments: "{}" }
      },
      toolOutput("call_1", { time: "10:42" })
    )
    fold.send(create)
    assert.strictEqual(saidIn(fold.pass()), "It is 10:42.")
    assert.strictEqual(saidIn(fold.ask("What is my name?")), "Your name is Ada.")
  })

  it("of images are looked at", () => {
    const fold = new Fold()
    const url = `data:image/png;base64,${Buffer.alloc(30).toString("base64")}`
    fold.send(
      {
        type: "conversation.item.create",
        item: {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "what is this" },
            { type: "input_image", image_url: url }
          ]
        }
      },
      create
    )
    const events = fold.pass()
    assert.include(saidIn(events), "I can see the image (image/png, 30 bytes)")
    assert.isAbove(one(events, "response.done").response.usage.input_token_details.image_tokens, 0)
  })
})
