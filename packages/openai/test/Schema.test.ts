/** The parameters of tools, as the provider takes them. */
import type { ToolDefinition } from "@effect-bidi/core/BidiModel"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import type * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { declare } from "../src/internal/schema.ts"

const tool = (parameters: JsonSchema.JsonSchema, name = "pay"): ToolDefinition => ({
  name,
  description: undefined,
  parameters
})

/** The parameters of a tool as the model is told about them. */
const declared = (schema: Schema.Top): any =>
  Result.getOrThrow(
    declare([tool(Tool.getJsonSchema(Tool.make("pay", { parameters: schema as Schema.Codec<any> })))])
  )[0]!.parameters

const refusal = (parameters: JsonSchema.JsonSchema, name = "pay") => {
  const result = declare([tool(parameters, name)])
  assert(Result.isFailure(result))
  return result.failure
}

// "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level", and
// "array schema missing items", as the provider puts it
const isTaken = (schema: any): void => {
  assert.strictEqual(schema.type, "object")
  for (const key of ["$ref", "anyOf", "oneOf", "allOf", "enum", "not"]) assert.notProperty(schema, key)
  assert.isObject(schema.properties)
  lists(schema)
}
const lists = (schema: any): void => {
  if (typeof schema !== "object" || schema === null) return
  if (schema.type === "array") assert.isObject(schema.items)
  for (const value of Object.values(schema)) lists(value)
}

class Payment extends Schema.Class<Payment>("Payment")({ amount: Schema.Int, to: Schema.optionalKey(Schema.String) }) {}
interface Tree {
  readonly name: string
  readonly kids: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  name: Schema.String,
  kids: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

describe("parameters", () => {
  it("of a class are those of its object", () => {
    const schema = declared(Payment)
    isTaken(schema)
    assert.deepStrictEqual(Object.keys(schema.properties), ["amount", "to"])
    assert.deepStrictEqual(schema.required, ["amount"])
  })

  it("that are recursive keep what they refer to", () => {
    const schema = declared(Tree)
    isTaken(schema)
    const { $ref } = schema.properties.kids.items
    assert.property(schema.$defs, $ref.slice("#/$defs/".length))
  })

  it("that are one of several objects have the properties of all, and need those that all need", () => {
    const schema = declared(
      Schema.Union([
        Schema.Struct({ by: Schema.Literal("card"), number: Schema.String }),
        Schema.Struct({ by: Schema.Literal("cash"), note: Schema.optionalKey(Schema.String) })
      ])
    )
    isTaken(schema)
    assert.deepStrictEqual(Object.keys(schema.properties), ["by", "number", "note"])
    assert.deepStrictEqual(schema.required, ["by"])
    assert.deepStrictEqual(
      schema.properties.by.anyOf.flatMap((one: any) => one.enum),
      ["card", "cash"]
    )
  })

  it("that are a class of classes, or of what is nullable, stay", () => {
    isTaken(declared(Schema.Struct({ one: Payment, other: Schema.NullOr(Payment) })))
  })

  it("that have tuples say what is in them", () => {
    const schema = declared(
      Schema.Struct({
        pair: Schema.Tuple([Schema.String, Schema.Int]),
        some: Schema.NonEmptyArray(Schema.String),
        any: Schema.Array(Schema.Json)
      })
    )
    isTaken(schema)
    assert.deepStrictEqual(
      schema.properties.pair.items.anyOf.map((one: any) => one.type),
      ["string", "integer"]
    )
    assert.strictEqual(schema.properties.pair.maxItems, 2)
  })

  it("that are empty, or a record, are an object", () => {
    isTaken(declared(Schema.Struct({})))
    isTaken(declared(Schema.Record(Schema.String, Schema.Int)))
    isTaken(Result.getOrThrow(declare([tool(Tool.getJsonSchema(Tool.make("none", {})))]))[0]!.parameters)
  })

  it("stay as they are where they are taken as they are", () => {
    const plain = {
      type: "object",
      properties: { city: { type: "string", enum: ["a"] }, properties: { type: "array", items: { type: "string" } } },
      required: ["city"]
    } as const
    assert.deepStrictEqual(Result.getOrThrow(declare([tool(plain)]))[0]!.parameters, plain)
  })

  it.each<readonly [string, JsonSchema.JsonSchema]>([
    ["null", { type: "null" }],
    ["a text", { type: "string" }],
    ["a choice", { enum: ["a", "b"] }],
    ["an object or a text", { anyOf: [{ type: "object", properties: {} }, { type: "string" }] }],
    ["what is not there", { $ref: "#/$defs/Nothing" }],
    ["themselves", { $ref: "#/$defs/Loop", $defs: { Loop: { $ref: "#/$defs/Loop" } } }]
  ])("are refused, with the name of the tool, when they are %s", (_, parameters) => {
    const { message, option } = refusal(parameters)
    assert.strictEqual(option, "tools.pay.parameters")
    assert.include(message, `"pay"`)
  })
})

describe("the name of a tool", () => {
  it.each(["", "a b", "server.tool", "ü", "x".repeat(65)])("is refused: %j", (name) => {
    const { message } = refusal({ type: "object", properties: {} }, name)
    assert.include(message, JSON.stringify(name))
  })
})
