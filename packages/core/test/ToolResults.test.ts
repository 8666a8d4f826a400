import { BidiAgent, BidiTool } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { bounded, plain } from "../src/internal/tools/results.ts"

type Kind = Schema.Codec<any, any>

/** Calls a tool with this schema, which gives this value; answers what the model and everybody else are told. */
const giving = (
  success: Kind,
  value: unknown,
  options: {
    readonly limit?: number
    readonly ofAll?: BidiAgent.ToolOptions
    readonly progress?: ReadonlyArray<unknown>
    readonly fails?: boolean
  } = {}
) =>
  Effect.gen(function* () {
    let runs = 0
    const tool = Tool.make("give", { success, failure: success, failureMode: "return" })
    const toolkit = Toolkit.make(
      options.limit === undefined ? tool : tool.annotate(BidiTool.ResultLimit, options.limit)
    )
    const give = Effect.fnUntraced(function* (
      _: unknown,
      { preliminary }: { readonly preliminary: (value: any) => Effect.Effect<void> }
    ) {
      runs++
      for (const step of options.progress ?? []) yield* preliminary(step)
      return options.fails === true ? yield* Effect.fail(value) : value
    })
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (line) {
        yield* line.callTools(["give", {}])
        yield* line.expect("ToolOutputs")
        yield* line.reply({ text: "Done." })
      })
    )
    const recorder = BidiTest.recorder()
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, toolkit.toLayer({ give })]))
    const call = yield* agent.start({
      outputs: [recorder.output],
      ...(options.ofAll === undefined ? {} : { tools: options.ofAll })
    })
    yield* BidiTest.advance("1 second")
    const command = model.commands().find((command) => command._tag === "ToolOutputs")
    const event = recorder.events().find((event) => event._tag === "ToolResult")
    const progress = recorder.events().flatMap((event) => (event._tag === "ToolProgress" ? [event.value] : []))
    const [output] = command?._tag === "ToolOutputs" ? command.outputs : []
    if (output === undefined || event === undefined) return assert.fail("the call has no answer")
    assert.deepStrictEqual(event.result, output.result)
    assert.strictEqual(event.isFailure, output.isFailure)
    assert.strictEqual(runs, 1)
    return { call, output, progress }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

class Order extends Schema.Class<Order>("Order")({ id: Schema.BigInt, at: Schema.Date }) {}

const circular: Record<string, unknown> = { name: "ring" }
circular.next = { back: circular }

const nested = (levels: number): Schema.Json => {
  let value: Schema.Json = {}
  for (let level = 0; level < levels; level++) value = { in: value }
  return value
}

const throwing = {
  get id(): string {
    throw new Error("not readable")
  }
}

const AN_HOUR = new Date(3_600_000)

describe("a result", () => {
  it.effect.each<[string, Kind, unknown, Schema.Json]>([
    ["a bigint", Schema.BigInt, 2n ** 64n, "18446744073709551616"],
    ["a date", Schema.Date, AN_HOUR, "1970-01-01T01:00:00.000Z"],
    [
      "a map",
      Schema.ReadonlyMap(Schema.String, Schema.Date),
      new Map([["noon", AN_HOUR]]),
      [["noon", "1970-01-01T01:00:00.000Z"]]
    ],
    ["a set", Schema.ReadonlySet(Schema.BigInt), new Set([1n, 2n]), ["1", "2"]],
    ["bytes", Schema.Uint8Array, new Uint8Array([1, 2, 255]), "AQL/"],
    ["nothing", Schema.Undefined, undefined, null],
    ["void", Schema.Void, undefined, null],
    ["no number", Schema.Number, NaN, "NaN"],
    ["a class", Order, new Order({ id: 7n, at: AN_HOUR }), { id: "7", at: "1970-01-01T01:00:00.000Z" }],
    ["of any kind: a bigint in it", Schema.Unknown, { id: 7n, none: undefined }, { id: "7" }],
    ["of any kind: a map in it", Schema.Unknown, { seats: new Map([["a", 1]]) }, { seats: [["a", 1]] }],
    [
      "of any kind: bytes in it",
      Schema.Unknown,
      [new Uint8Array([1]), new Set([AN_HOUR])],
      ["AQ==", ["1970-01-01T01:00:00.000Z"]]
    ],
    ["of any kind: nothing", Schema.Unknown, undefined, null]
  ])("that JSON has no word for is told as its schema says: %s", ([, schema, value, told]) =>
    Effect.gen(function* () {
      const { output } = yield* giving(schema, value)
      assert.deepStrictEqual([output.isFailure, output.result], [false, told])
    })
  )

  it.effect.each<[string, Kind, unknown]>([
    ["circular", Schema.Unknown, circular],
    ["circular, against its schema", Schema.Json, circular],
    ["circular, in a map", Schema.Any, new Map([["ring", circular]])],
    ["not what its schema says", Schema.String, 7],
    ["not of JSON, against its schema", Schema.Json, { id: 7n }],
    ["undefined, against its schema", Schema.Json, undefined],
    ["a symbol", Schema.Unknown, [Symbol("x")]],
    ["deeper than any stack", Schema.Unknown, nested(20_000)],
    ["deeper than any stack, by its schema", Schema.Json, nested(20_000)],
    ["deeper than any stack, in a map", Schema.Unknown, new Map([["deep", nested(20_000)]])],
    ["a getter that throws", Schema.Unknown, throwing],
    ["a proxy that throws", Schema.Unknown, new Proxy({}, { ownKeys: () => assert.fail("not readable") })]
  ])("that cannot be told does not make the tool one that failed: %s", ([, schema, value]) =>
    Effect.gen(function* () {
      const { output } = yield* giving(schema, value)
      const words = String(output.result)
      assert.isTrue(
        words.startsWith("The tool ran to its end, and what it does has been done: do not call it again."),
        words
      )
    })
  )

  it.effect("that is nested as deep as people nest is told", () =>
    Effect.gen(function* () {
      const { output } = yield* giving(Schema.Unknown, nested(100))
      assert.deepStrictEqual(output, { ...output, result: nested(100), isFailure: false })
    })
  )

  it.effect("is also given to a call whose arguments are nested deeper than any stack", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("give", { parameters: Schema.Struct({ of: Schema.Json }) }))
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.callTools(["give", { of: nested(2000) }])
          const { outputs } = yield* line.expect("ToolOutputs")
          assert.match(String(outputs[0]!.result), /nested more than 512 levels deep/)
          assert.isTrue(outputs[0]!.isFailure)
          yield* line.reply({ text: "I see." })
        })
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(
        Effect.provide([model.layer, toolkit.toLayer({ give: () => Effect.die("it runs") })])
      )
      const call = yield* agent.start()
      yield* BidiTest.advance("1 second")
      yield* call.awaitIdle
      assert.strictEqual(model.commands().length, 1)
    })
  )

  it.effect("that is a failure is told by its schema too", () =>
    Effect.gen(function* () {
      const { output } = yield* giving(Schema.BigInt, 7n, { fails: true })
      assert.deepStrictEqual([output.isFailure, output.result], [true, "7"])
    })
  )

  it.effect("that comes in steps is told in each", () =>
    Effect.gen(function* () {
      const { output, progress } = yield* giving(Schema.Unknown, 3n, { progress: [1n, circular, new Set([2n])] })
      assert.deepStrictEqual(progress, ["1", ["2"]])
      assert.deepStrictEqual(output.result, "3")
    })
  )

  it.effect("of megabytes is told in part, and says how much is left out", () =>
    Effect.gen(function* () {
      const { call, output } = yield* giving(Schema.String, "é".repeat(2_500_000))
      const words = String(output.result)
      assert.isAtMost(Buffer.byteLength(words), 65_536)
      assert.isAtLeast(Buffer.byteLength(words), 65_000)
      const left = Number(/ … \[cut: of 5000000 bytes, (\d+) are left out here\]$/.exec(words)?.[1])
      assert.strictEqual(left, 5_000_000 - Buffer.byteLength(words.slice(0, words.indexOf(" … ["))))
      // and that is what is remembered
      assert.isAtMost(JSON.stringify(yield* call.history).length, 66_000)
      assert.isFalse(output.isFailure)
    })
  )

  it.effect("has the limit that the conversation or the tool sets", () =>
    Effect.gen(function* () {
      const size = (result: Schema.Json) => Buffer.byteLength(String(result))
      const list = Array.from({ length: 1000 }, (_, i) => i)
      const ofAll = yield* giving(Schema.Json, list, { ofAll: { resultLimit: 500 } })
      assert.isAtMost(size(ofAll.output.result), 500)
      assert.match(String(ofAll.output.result), /^\[0,1,2,.* … \[cut: of 3891 bytes, \d+ are left out here\]$/)
      const ofTool = yield* giving(Schema.Json, list, { ofAll: { resultLimit: 500 }, limit: Infinity })
      assert.deepStrictEqual(ofTool.output.result, list)
      const failure = yield* giving(Schema.String, "x".repeat(1000), { limit: 300, fails: true })
      assert.isTrue(failure.output.isFailure)
      assert.isAtMost(size(failure.output.result), 300)
    })
  )

  it.effect("limit that is none is refused where it is given", () =>
    Effect.gen(function* () {
      for (const tools of [{ resultLimit: 0 }, { resultLimit: NaN }, { timeout: 0 }, { timeout: "soon" as never }]) {
        const error = yield* Effect.flip(Effect.exit(giving(Schema.String, "x", { ofAll: tools })).pipe(Effect.flatten))
        assert.strictEqual((error as { reason: { _tag: string } }).reason._tag, "InvalidRequest")
      }
    })
  )
})

describe("what JSON has no word for", () => {
  it.prop("has one or is refused, and never throws", { value: Schema.Unknown }, ({ value }) => {
    const json = plain(value)
    if (json._tag === "Success") assert.isTrue(Schema.is(Schema.Json)(json.success))
  })

  it.prop(
    "is cut to what fits, between characters",
    { text: Schema.String, times: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 })) },
    ({ text, times }) => {
      const whole = text.toWellFormed().repeat(times)
      const part = String(bounded(whole, 256))
      assert.isAtMost(Buffer.byteLength(part), 256)
      if (Buffer.byteLength(whole) <= 256) return assert.strictEqual(part, whole)
      assert.isTrue(part.isWellFormed())
      assert.isTrue(whole.startsWith(part.slice(0, part.lastIndexOf(" … [cut: "))))
    }
  )
})
