/**
 * What AWS documents of a tool (Nova user guide, "Defining a tool", and the pattern of `ToolSpec.name`): at the top
 * `type`, `properties` and `required`, and names of `[a-zA-Z0-9_-]{1,64}`.
 */
import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import type { ToolDefinition } from "@effect-bidi/core/BidiModel"
import * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { declare } from "../src/internal/toolSchema.ts"
import { dial } from "./support/line.ts"

const definition = (name: string, parameters?: Schema.Top): ToolDefinition => ({
  name,
  description: undefined,
  parameters: Tool.getJsonSchema(Tool.make(name, parameters === undefined ? {} : { parameters: parameters as never }))
})

const sent = (tool: ToolDefinition) => Result.getOrThrowWith(declare([tool]), (error) => new Error(error))[0]!
const refusal = (tool: ToolDefinition) => Result.getOrThrow(Result.flip(declare([tool])))

class Place extends Schema.Class<Place>("Place")({ city: Schema.String, zip: Schema.optionalKey(Schema.String) }) {}

interface Tree {
  readonly leaf: string
  readonly kids: ReadonlyArray<Tree>
}
const Tree: Schema.Codec<Tree> = Schema.Struct({
  leaf: Schema.String,
  kids: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

// JSON Schemas, many of them wrong: references that go round, records, unions, properties with names of keywords.
type Json = { readonly [key: string]: unknown }
const Ref = Schema.Struct({ $ref: Schema.Literals(["#/$defs/A", "#/$defs/B", "#/$defs/C", "#"]) })
const Leaf = Schema.Union([Schema.Struct({ type: Schema.Literals(["string", "array"]) }), Ref, Schema.Struct({})])
const Any: Schema.Codec<Json> = Schema.Union([
  Leaf,
  Schema.Struct({
    type: Schema.Literal("object"),
    properties: Schema.Record(
      Schema.Literals(["p", "$ref", "$defs"]),
      Schema.suspend((): Schema.Codec<Json> => Any)
    ),
    additionalProperties: Schema.Union([Schema.Boolean, Leaf])
  }),
  Schema.Struct({ type: Schema.Literal("array"), items: Schema.suspend((): Schema.Codec<Json> => Any) }),
  Schema.Struct({ anyOf: Schema.Array(Schema.suspend((): Schema.Codec<Json> => Any)) }),
  Schema.Struct({ allOf: Schema.Array(Leaf), properties: Schema.Struct({ q: Leaf }) })
])
const AnyOf3 = Schema.Tuple([Any, Any, Any])

describe("a tool", () => {
  it("without parameters has an object without properties", () => {
    assert.deepStrictEqual(sent(definition("now")).parameters, { type: "object", properties: {} })
  })

  it("has `type`, `properties` and `required` at the top, and nothing else", () => {
    const schema = Schema.Struct({ city: Schema.String, days: Schema.optionalKey(Schema.String) })
    assert.deepStrictEqual(sent(definition("weather", schema.annotate({ title: "Where" }))).parameters, {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "string" } },
      required: ["city"]
    })
  })

  it("of a class is declared by the class's fields", () => {
    const place = {
      type: "object",
      properties: { city: { type: "string" }, zip: { type: "string" } },
      required: ["city"]
    }
    assert.deepStrictEqual(sent(definition("go", Place)).parameters, place)
    assert.deepStrictEqual(sent(definition("drive", Schema.Struct({ from: Place, to: Place }))).parameters, {
      type: "object",
      properties: { from: place, to: place },
      required: ["from", "to"]
    })
  })

  it("with a record in a property tells its values in words", () => {
    const schema = Schema.Struct({ marks: Schema.Record(Schema.String, Schema.String) })
    const { marks } = sent(definition("grade", schema)).parameters.properties as Record<string, object>
    assert.deepStrictEqual(marks, { type: "object", description: '(Any keys; every value is: {"type":"string"})' })
  })

  it("keeps its description, or has that of its parameters", () => {
    const schema = Schema.Struct({ city: Schema.String }).annotate({ description: "Where it is." })
    assert.strictEqual(sent(definition("weather", schema)).description, "Where it is.")
    assert.strictEqual(sent({ ...definition("weather", schema), description: "Tells." }).description, "Tells.")
  })

  it("takes what a server of MCP says, of whatever draft", () => {
    const parameters = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { path: { $ref: "#/definitions/path" } },
      definitions: { path: { type: "string", description: "A path." } },
      allOf: [{ properties: { mode: { enum: ["r", "w"] } }, required: ["mode"] }],
      required: ["path"],
      additionalProperties: {}
    }
    assert.deepStrictEqual(sent({ name: "read", description: undefined, parameters }).parameters, {
      type: "object",
      properties: { path: { type: "string", description: "A path." }, mode: { enum: ["r", "w"] } },
      required: ["path", "mode"]
    })
  })

  const union = Schema.Union([Schema.Struct({ a: Schema.String }), Schema.Struct({ b: Schema.String })])
  const unsayable: ReadonlyArray<readonly [what: string, ToolDefinition]> = [
    ["a union", definition("either", union)],
    ["a record", definition("either", Schema.Record(Schema.String, Schema.Number))],
    ["a type that contains itself", definition("either", Tree)],
    ["a type that contains itself, in a property", definition("either", Schema.Struct({ tree: Tree }))],
    ["no object", { name: "either", description: undefined, parameters: { type: "array" } }],
    ["a reference to nothing", { name: "either", description: undefined, parameters: { $ref: "#/$defs/none" } }]
  ]

  it.each(unsayable)("of %s is refused by its name", (_, tool) => {
    assert.include(refusal(tool), 'The tool "either"')
  })

  it.each(["get weather", "fs.read", "", "x".repeat(65), "naïve", "a\n"])("cannot be called %j", (name) => {
    assert.include(refusal({ ...definition("ok"), name }), `The tool ${JSON.stringify(name)}`)
  })

  it.effect("that the provider does not take is refused before anything is dialled", () =>
    Effect.gen(function* () {
      for (const tool of [definition("either", union), { ...definition("ok"), name: "fs.read" }]) {
        // nobody listens there
        const error = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1", {}, { tools: [tool] })))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.strictEqual((error.reason as { readonly option?: string }).option, "tools")
        assert.include(error.message, JSON.stringify(tool.name))
      }
    })
  )

  it.effect.prop(
    "has no reference and nothing undocumented at the top, whatever it is, or is refused by its name",
    [AnyOf3],
    ([[root, A, B]]) =>
      Effect.sync(() => {
        const result = declare([{ name: "tool", description: undefined, parameters: { ...root, $defs: { A, B } } }])
        if (Result.isFailure(result)) return assert.include(result.failure, 'The tool "tool"')
        const { parameters } = result.success[0]!
        assert.includeMembers(["type", "properties", "required"], Object.keys(parameters))
        assert.strictEqual(parameters.type, "object")
        assert.isTrue(Object.values(parameters.properties as object).every(isPlain), JSON.stringify(parameters))
      }),
    cases(1000)
  )
})

/** No references and no records; a property may be called anything. */
const isPlain = (schema: unknown): boolean => {
  if (Array.isArray(schema)) return schema.every(isPlain)
  if (typeof schema !== "object" || schema === null) return true
  const { properties = {}, ...rest } = schema as Record<string, unknown>
  if ("$ref" in rest || "$defs" in rest || "additionalProperties" in rest) return false
  return [...Object.values(properties as object), ...Object.values(rest)].every(isPlain)
}
