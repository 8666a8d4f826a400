import { assert, describe, it } from "@effect/vitest"
import * as Assistant from "@effect-bidi/emulator/Assistant"
import type * as Prompt from "@effect-bidi/emulator/Prompt"

const tool = (
  name: string,
  properties: object = {},
  description = "",
  required = Object.keys(properties)
): Prompt.Tool => ({
  name,
  description,
  parameters: { type: "object", properties, required }
})

const text = { type: "string" }
const clock = tool("current_time")
const calculator = tool("calculator", { expression: text })
const weather = tool("get_weather", { city: text })
const stop = tool("stop_conversation")
const kit = [clock, calculator, weather, stop]

const user = (text: string, images: ReadonlyArray<Prompt.Image> = []): Prompt.Turn => ({
  role: "user",
  text,
  images
})
const assistant = (text: string): Prompt.Turn => ({ role: "assistant", text })
const call = (callId: string, name: string, args: object = {}): Prompt.Turn => ({
  role: "call",
  callId,
  name,
  arguments: JSON.stringify(args)
})
const result = (callId: string, output: unknown): Prompt.Turn => ({
  role: "result",
  callId,
  output: typeof output === "string" ? output : JSON.stringify(output)
})

const reply = (history: ReadonlyArray<Prompt.Turn>, change: Partial<Prompt.Prompt> = {}): Prompt.Reply =>
  Assistant.scripted({
    history,
    tools: kit,
    toolChoice: "auto",
    parallelCalls: true,
    instructions: undefined,
    ...change
  })

const callsFor = (said: string, tools: ReadonlyArray<Prompt.Tool> = kit) => reply([user(said)], { tools }).calls
const saidTo = (said: string, tools: ReadonlyArray<Prompt.Tool> = []) => reply([user(said)], { tools }).text ?? ""

describe("tools", () => {
  it.each([
    ["what time is it", "current_time", {}],
    ["What time is it?", "current_time", {}],
    ["please tell me the current time", "current_time", {}],
    ["Calculate 25 times 48", "calculator", { expression: "25 * 48" }],
    ["what's the weather in San Francisco", "get_weather", { city: "San Francisco" }],
    ["What is the weather like in new york today?", "get_weather", { city: "new york" }],
    ["stop conversation", "stop_conversation", {}],
    ["Please end the call.", "stop_conversation", {}],
    ["Goodbye!", "stop_conversation", {}]
  ])("%s calls %s", (said, name, args) => {
    assert.deepStrictEqual(reply([user(said)]), { text: undefined, calls: [{ name, arguments: args }] })
  })

  it.each(["nowIs", "get_date_time", "clock"])("a clock may be called %s", (name) => {
    assert.strictEqual(callsFor("what time is it", [tool("lookup_order", { id: text }), tool(name)])[0]?.name, name)
  })

  it("a tool is known by its description when its name says nothing", () => {
    const tools = [
      tool("alpha", {}, "Hangs up the phone"),
      tool("beta", { q: text }, "Evaluates an arithmetic expression")
    ]
    assert.deepStrictEqual(callsFor("calculate 2 plus 2", tools), [{ name: "beta", arguments: { q: "2 + 2" } }])
    assert.deepStrictEqual(callsFor("stop the conversation", tools), [{ name: "alpha", arguments: {} }])
  })

  it("two wishes are two calls", () => {
    assert.deepStrictEqual(callsFor("what time is it and calculate 2 times 3"), [
      { name: "current_time", arguments: {} },
      { name: "calculator", arguments: { expression: "2 * 3" } }
    ])
  })

  it("an `and` inside one wish does not cut it", () => {
    assert.deepStrictEqual(callsFor("add 5 and 3"), [{ name: "calculator", arguments: { expression: "5 + 3" } }])
  })

  it("what can be said at once is said, what has to be looked up is called", () => {
    assert.deepStrictEqual(reply([user("My name is Ada and what time is it?")]), {
      text: "Nice to meet you, Ada.",
      calls: [{ name: "current_time", arguments: {} }]
    })
  })

  it.each([
    ["calculate 2 times 3", "calculator"],
    ["what time is it", "clock"],
    ["what's the weather in Rome", "weather"]
  ])("without a tool it says that it has none: %s", (said, what) => {
    assert.deepStrictEqual(reply([user(said)], { tools: [] }).calls, [])
    assert.include(saidTo(said), what)
  })

  it("never computes itself", () => assert.notInclude(saidTo("calculate 25 times 48"), "1200"))

  it.each([
    ["turn on the light in the kitchen", { room: "kitchen", on: true }],
    ["turn the light in the hall off", { room: "hall", on: false }]
  ])("an unknown tool gets its arguments from the sentence: %s", (said, args) => {
    const light = tool("set_light", { room: text, on: { type: "boolean" } }, "Turns a light on or off")
    assert.deepStrictEqual(callsFor(said, [...kit, light]), [{ name: "set_light", arguments: args }])
  })

  it("fills in every type of the schema", () => {
    const order = tool("order_pizza", {
      size: { type: "string", enum: ["small", "medium", "large"] },
      count: { type: "integer" },
      toppings: { type: "array", items: { type: "string", enum: ["ham", "olives", "onion"] } },
      delivery: {
        type: "object",
        properties: { city: text, email: { type: "string", format: "email" } },
        required: ["city", "email"]
      }
    })
    assert.deepStrictEqual(callsFor("order 3 large pizza with olives and ham to Berlin for ada@example.org", [order]), [
      {
        name: "order_pizza",
        arguments: {
          size: "large",
          count: 3,
          toppings: ["ham", "olives"],
          delivery: { city: "Berlin", email: "ada@example.org" }
        }
      }
    ])
  })

  it("leaves out optional arguments that the sentence does not speak of", () => {
    const forecast = tool("forecast", { city: text, unit: { type: "string", enum: ["celsius", "fahrenheit"] } }, "", [
      "city"
    ])
    assert.deepStrictEqual(callsFor("the forecast for Paris", [forecast])[0]?.arguments, { city: "Paris" })
    assert.deepStrictEqual(callsFor("the forecast for Paris in fahrenheit", [forecast])[0]?.arguments, {
      city: "Paris",
      unit: "fahrenheit"
    })
  })

  it("reads references, alternatives and constants", () => {
    const strict: Prompt.Tool = {
      name: "track_order",
      description: "",
      parameters: {
        $defs: { id: { type: "string" } },
        type: "object",
        properties: {
          order_id: { $ref: "#/$defs/id" },
          note: { anyOf: [{ type: "string" }, { type: "null" }] },
          kind: { const: "order" }
        },
        required: ["order_id", "note", "kind"]
      }
    }
    assert.deepStrictEqual(callsFor("track order A-1234", [strict])[0]?.arguments, {
      order_id: "A-1234",
      note: null,
      kind: "order"
    })
  })

  it("an operation can be an enum and its numbers two fields", () => {
    const math = tool("math", {
      a: { type: "number" },
      b: { type: "number" },
      op: { type: "string", enum: ["add", "subtract", "multiply", "divide"] }
    })
    assert.deepStrictEqual(callsFor("calculate 7 times 6", [math])[0]?.arguments, { a: 7, b: 6, op: "multiply" })
  })

  it.each([undefined, null, 7, "x", [], { properties: 3 }, { type: ["object"] }, { $ref: "#/nowhere" }])(
    "a schema that is none gives no arguments: %j",
    (parameters) => {
      assert.deepStrictEqual(callsFor("what time is it", [{ name: "time", description: "", parameters }]), [
        { name: "time", arguments: {} }
      ])
    }
  )

  it("a schema that contains itself ends", () => {
    const node: { [key: string]: unknown } = {
      type: "object",
      properties: { child: { $ref: "#" } },
      required: ["child"]
    }
    assert.strictEqual(callsFor("what time is it", [{ name: "time", description: "", parameters: node }]).length, 1)
  })

  it("calls every tool on demand", () => {
    assert.deepStrictEqual(
      callsFor("call every tool").map(({ name }) => name),
      kit.map(({ name }) => name)
    )
  })

  it("asks for the place when the weather of no place is wanted, and takes the next turn for it", () => {
    const first = reply([user("what is the weather")])
    assert.deepStrictEqual(first, { text: "For which place?", calls: [] })
    const history = [user("what is the weather"), assistant("For which place?"), user("Paris")]
    assert.deepStrictEqual(reply(history).calls, [{ name: "get_weather", arguments: { city: "Paris" } }])
  })

  it("heeds the tool choice", () => {
    const history = [user("what time is it")]
    assert.deepStrictEqual(reply(history, { toolChoice: "none" }).calls, [])
    assert.strictEqual(reply([user("hello")], { toolChoice: "required" }).calls.length, 1)
    assert.strictEqual(
      reply(history, { toolChoice: { name: "stop_conversation" } }).calls[0]?.name,
      "stop_conversation"
    )
  })

  it("makes one call at a time when asked to, and goes on after each result", () => {
    const asked = [user("what time is it and calculate 2 times 3")]
    const once = { parallelCalls: false }
    assert.deepStrictEqual(reply(asked, once).calls, [{ name: "current_time", arguments: {} }])
    const later = [...asked, call("1", "current_time"), result("1", "10:42")]
    assert.deepStrictEqual(reply(later, once), {
      text: undefined,
      calls: [{ name: "calculator", arguments: { expression: "2 * 3" } }]
    })
    const last = [...later, call("2", "calculator", { expression: "2 * 3" }), result("2", 6)]
    assert.deepStrictEqual(reply(last, once), { text: "It is 10:42. The answer is 6.", calls: [] })
  })
})

describe("results", () => {
  const after = (name: string, output: unknown) => reply([user("?"), call("1", name), result("1", output)])

  it.each([
    ["calculator", 1200, "The answer is 1200."],
    ["calculator", { result: 1200 }, "The answer is 1200."],
    ["current_time", "10:42", "It is 10:42."],
    ["current_time", { time: "10:42" }, "It is 10:42."],
    ["get_weather", { city: "Rome", temperature: 18 }, "The city is Rome and the temperature is 18."],
    ["find", ["a", "b"], "I found 2: a and b."],
    ["find", [], "Find found nothing."],
    ["save", null, "Done with save."],
    ["save", {}, "Done with save."],
    ["save", "It went well, thank you", "It went well, thank you."],
    ["save", { ok: true, id: 7 }, "The ok is yes and the id is 7."]
  ])("%s answered %j", (name, output, said) => assert.deepStrictEqual(after(name, output), { text: said, calls: [] }))

  it("a failure is an apology that says why", () => {
    const { text } = after("get_weather", { error: { message: "no such city" } })
    assert.match(text!, /^Sorry/)
    assert.include(text!, "no such city")
  })

  it("all results since it last spoke are said, and then what came up meanwhile is answered", () => {
    const history = [
      user("what time is it and calculate 2 times 3"),
      call("1", "current_time"),
      call("2", "calculator"),
      result("2", 6),
      user("my name is Ada"),
      result("1", "10:42")
    ]
    assert.strictEqual(reply(history).text, "The answer is 6. It is 10:42. Nice to meet you, Ada.")
  })

  it("says what it still waits for", () => {
    assert.include(reply([user("what time is it"), call("1", "current_time")]).text!, "current_time")
  })
})
