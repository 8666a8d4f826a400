import { assert, describe, it } from "@effect/vitest"
import {
  Nova,
  audio,
  blocksIn,
  calculator,
  callsIn,
  clock,
  contentEnd,
  outline,
  result,
  resultStart,
  saidIn,
  tools,
  words
} from "../support/nova.ts"
import { quiet, tone } from "../support/sound.ts"

const now = { time: "10:42" }
const both = tools(clock, calculator)

describe("a tool", () => {
  it("is called in a block of its own, and its result is answered", () => {
    const stream = new Nova({ begin: both })
    assert.deepStrictEqual(outline(stream.ask("calculate 2 times 3")), ['TOOL TOOL TOOL_USE {"expression":"2 * 3"}'])
    const [call] = callsIn(stream.events)
    assert.deepInclude(call, { toolName: "calculator" })
    stream.send(...result(call!, { result: 6 }))
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "The answer is 6.")
    assert.strictEqual(blocksIn(stream.events).at(-1)!.stop, "END_TURN")
  })

  it("that was called with others is answered with them", () => {
    const stream = new Nova({ begin: both })
    const [time, sum] = callsIn(stream.ask("what time is it and calculate 2 times 3"))
    stream.send(...result(sum!, { result: 6 }))
    assert.deepStrictEqual(stream.settle(), [])
    stream.send(...result(time!, now))
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "The answer is 6. It is 10:42.")
  })

  it("is called after what was said, which does not end the turn", () => {
    const stream = new Nova({
      begin: both,
      assistant: ({ history }) =>
        history.at(-1)?.role === "result"
          ? { text: "Done.", calls: [] }
          : { text: "One moment. I will look.", calls: [{ name: "current_time", arguments: {} }] }
    })
    const stops = blocksIn(stream.ask("what time is it")).map(({ stop }) => stop)
    assert.deepStrictEqual(stops, [...Array.from({ length: 6 }, () => "PARTIAL_TURN"), "TOOL_USE"])
    stream.send(...result(callsIn(stream.events)[0]!, now))
    stream.settle()
    assert.strictEqual(blocksIn(stream.events).at(-1)!.stop, "END_TURN")
  })

  it("is not waited for: the talk goes on, and an interruption takes nothing back", () => {
    const stream = new Nova({ speed: 8, begin: both })
    const [call] = callsIn(stream.ask("what time is it"))
    assert.strictEqual(saidIn(stream.ask("my name is Ada")), "Nice to meet you, Ada.")
    stream.send(...words("tell me a short story"))
    stream.pass(300)
    // a result that comes meanwhile waits for the end of what is being said
    stream.send(...result(call!, now))
    stream.settle()
    assert.match(saidIn(stream.events), /candle\. It is 10:42\.$/)
  })

  it("has a result that comes while the user speaks: it is told afterwards", () => {
    const stream = new Nova({ begin: both, hear: () => "my name is Ada" })
    const [call] = callsIn(stream.ask("what time is it"))
    stream.send(...audio(tone(300, 8000, 16_000)), ...result(call!, now))
    assert.deepStrictEqual(stream.settle(), [])
    stream.send(...audio(quiet(1800, 16_000)))
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "It is 10:42. Nice to meet you, Ada.")
  })

  it("may be chosen by the client", () => {
    const choice = (toolChoice: object) => {
      const { toolConfiguration, ...rest } = both
      return new Nova({ begin: { ...rest, toolConfiguration: { ...toolConfiguration, toolChoice } } }).ask("hello")
    }
    assert.strictEqual(callsIn(choice({ any: {} }))[0]?.toolName, "current_time")
    assert.strictEqual(callsIn(choice({ tool: { name: "calculator" } }))[0]?.toolName, "calculator")
    assert.deepStrictEqual(callsIn(choice({ auto: {} })), [])
  })

  it("may be called many times", () => {
    const stream = new Nova({ begin: both })
    stream.input({ _tag: "Arm", fault: { _tag: "ToolStorm", calls: 30 } })
    assert.strictEqual(callsIn(stream.ask("hello")).length, 30)
  })
})

describe("a result", () => {
  const asked = () => {
    const stream = new Nova({ begin: both })
    return { stream, call: callsIn(stream.ask("what time is it"))[0]! }
  }

  it.each(["10:42", '"10:42"', "1042", "null", "{"])("that is %s is an error", (content) => {
    const { call, stream } = asked()
    stream.send(...result(call, content))
    assert.match(stream.exception?.message, /Tool Response parsing error/)
  })

  it("may be a list", () => {
    const { call, stream } = asked()
    stream.send(...result(call, [1, 2]))
    assert.isUndefined(stream.exception)
  })

  it("that is empty is an error", () => {
    const { call, stream } = asked()
    stream.send(resultStart("r", call.toolUseId), contentEnd("r"))
    assert.match(stream.exception?.message, /Tool Response parsing error/)
  })

  it("comes once", () => {
    const { call, stream } = asked()
    stream.send(...result(call, now))
    stream.settle()
    stream.send(...result(call, now))
    assert.match(stream.exception?.message, /No open tool use found/)
  })
})
