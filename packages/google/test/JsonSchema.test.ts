/**
 * The parameters of real tools, as the provider gets them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Schema from "effect/Schema"
import { parametersOf, problemOf } from "../src/internal/jsonSchema.ts"
import { undeclarable } from "../src/internal/setup.ts"
import { setup } from "./support/line.ts"

const of = (parameters: Schema.Struct.Fields) =>
  parametersOf(Tool.getJsonSchema(Tool.make("tool", { parameters: Schema.Struct(parameters) }))) as any
const one = (schema: Schema.Top) => of({ it: schema }).properties.it

class Address extends Schema.Class<Address>("Address")({
  street: Schema.String.annotate({ description: "The street" }),
  zip: Schema.optionalKey(Schema.NonEmptyString)
}) {}

interface Tree {
  readonly label: string
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Codec<Tree> = Schema.Struct({
  label: Schema.String,
  children: Schema.Array(Schema.suspend(() => Tree))
}).annotate({ identifier: "Tree" })

describe("the parameters of a tool", () => {
  it("are the schema of an object", () => {
    assert.deepStrictEqual(
      of({ city: Schema.String.annotate({ description: "Where" }), days: Schema.optionalKey(Schema.Int) }),
      {
        type: "object",
        properties: { city: { type: "string", description: "Where" }, days: { type: "integer" } },
        required: ["city"],
        additionalProperties: true
      }
    )
  })

  it("are left out when there are none", () => {
    assert.isUndefined(of({}))
    assert.isUndefined(parametersOf(Tool.getJsonSchema(Tool.make("tool", {}))))
    assert.isUndefined(parametersOf({ type: "object", properties: {} }))
  })

  it.each([
    [Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })), { type: "integer", minimum: 1, maximum: 5 }],
    [Schema.Literals(["a", "b"]), { type: "string", enum: ["a", "b"] }],
    [Schema.Literal(3), { type: "number", enum: [3] }],
    [Schema.Literal(true), { type: "boolean" }],
    [Schema.NullOr(Schema.String), { anyOf: [{ type: "string" }, { type: "null" }] }],
    [Schema.Array(Schema.Boolean), { type: "array", items: { type: "boolean" } }],
    [Schema.String.check(Schema.isPattern(/^a/), Schema.isMinLength(2)), { type: "string" }],
    [Schema.Finite.check(Schema.isGreaterThan(0)), { type: "number", minimum: 0 }],
    [Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThan(10)), { type: "integer", minimum: 1, maximum: 9 }],
    [Schema.Record(Schema.String, Schema.Finite), { type: "object", additionalProperties: { type: "number" } }],
    [
      Schema.Tuple([Schema.String, Schema.Boolean]),
      { type: "array", prefixItems: [{ type: "string" }, { type: "boolean" }], minItems: 2, maxItems: 2 }
    ],
    [Schema.Json, {}]
  ] as ReadonlyArray<readonly [Schema.Top, object]>)("may be of any kind: %#", (schema, expected) => {
    assert.deepStrictEqual(one(schema), expected)
  })

  it("have their parts in place", () => {
    assert.deepStrictEqual(of({ home: Address, others: Schema.Array(Address) }), {
      type: "object",
      properties: {
        home: {
          type: "object",
          properties: { street: { type: "string", description: "The street" }, zip: { type: "string" } },
          required: ["street"],
          additionalProperties: true
        },
        others: {
          type: "array",
          items: {
            type: "object",
            properties: { street: { type: "string", description: "The street" }, zip: { type: "string" } },
            required: ["street"],
            additionalProperties: true
          }
        }
      },
      required: ["home", "others"],
      additionalProperties: true
    })
  })

  it("refer to parts that contain themselves, and to no others", () => {
    const schema = of({ tree: Tree, home: Address })
    assert.deepStrictEqual(schema.properties.tree, { $ref: "#/$defs/Tree" })
    assert.deepStrictEqual(schema.$defs, {
      Tree: {
        type: "object",
        properties: {
          label: { type: "string" },
          children: { type: "array", items: { $ref: "#/$defs/Tree" } }
        },
        required: ["label", "children"],
        additionalProperties: true
      }
    })
  })

  it("may be such a part themselves", () => {
    const schema = parametersOf(Tool.getJsonSchema(Tool.make("tool", { parameters: Tree as any }))) as any
    assert.deepStrictEqual(Object.keys(schema.properties), ["label", "children"])
    assert.deepStrictEqual(Object.keys(schema.$defs), ["Tree"])
  })

  it("may contain themselves in a roundabout way", () => {
    const [a, b] = [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/b" }]
    const $defs = {
      a: { type: "object", properties: { b: { anyOf: [{ type: "null" }, b] } } },
      b: { type: "object", properties: { a } }
    }
    const schema = parametersOf({ type: "object", properties: { a }, $defs } as any)
    assert.deepStrictEqual(schema as object, { type: "object", properties: { a }, $defs })
  })

  it("are found by names of any kind", () => {
    const $defs = { "a/b~c d": { type: "object", properties: { x: { type: "string" } } } }
    assert.deepStrictEqual(
      parametersOf({ $ref: "#/$defs/a~1b~0c%20d", $defs } as any) as object,
      $defs["a/b~c d"] as object
    )
  })

  it.each([
    ["nothing", { $ref: "#/$defs/missing" }],
    ["themselves", { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }]
  ])("that refer to %s are none", (_, schema) => assert.isUndefined(parametersOf(schema as any)))

  it("of a tool from elsewhere lose what the provider does not know, and nothing else", () => {
    const foreign = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "x",
      type: "object",
      title: "Search",
      properties: {
        when: { type: "string", format: "date-time", default: "now", examples: ["now"] },
        mail: { type: "string", format: "email", minLength: 3, maxLength: 9, pattern: "@" },
        kind: { const: "a" },
        either: { oneOf: [{ type: "string" }, { type: "array", items: { type: "integer", multipleOf: 2 } }] },
        both: {
          allOf: [
            { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
            { properties: { b: { const: 1 } }, required: ["a", "b"], allOf: [{ description: "Both" }] }
          ]
        },
        odd: { type: ["string", "null"], enum: ["x", null] },
        broken: { $ref: "#/$defs/Missing" },
        any: true
      },
      patternProperties: { "^x": {} },
      additionalProperties: false,
      if: {},
      not: {}
    }
    assert.deepStrictEqual(parametersOf(foreign as any) as object, {
      type: "object",
      title: "Search",
      properties: {
        when: { type: "string", format: "date-time" },
        mail: { type: "string" },
        kind: { enum: ["a"] },
        either: { oneOf: [{ type: "string" }, { type: "array", items: { type: "integer" } }] },
        both: {
          type: "object",
          properties: { a: { type: "string" }, b: { enum: [1] } },
          required: ["a", "b"],
          description: "Both"
        },
        odd: { type: ["string", "null"] },
        broken: {},
        any: true
      },
      additionalProperties: false
    })
  })

  it("are not changed in place", () => {
    const schema = Tool.getJsonSchema(Tool.make("tool", { parameters: Schema.Struct({ home: Address, tree: Tree }) }))
    const before = structuredClone(schema)
    parametersOf(schema)
    assert.deepStrictEqual(schema, before)
  })
})

describe("parameters that are no plain object", () => {
  const square = Schema.Struct({ side: Schema.Finite })
  const circle = Schema.Struct({ radius: Schema.Finite })
  const whole = (parameters: Schema.Top) =>
    Tool.getJsonSchema(Tool.make("tool", { parameters: parameters as Schema.Struct<{}> }))
  const told = (parameters: Schema.Top) => {
    const schema = whole(parameters)
    assert.isUndefined(problemOf(schema))
    return parametersOf(schema) as any
  }

  it("are told when they are a union", () => {
    const { anyOf, type } = told(Schema.Union([square, circle]))
    assert.strictEqual(type, "object")
    assert.deepStrictEqual(
      anyOf.map(({ properties }: any) => Object.keys(properties)),
      [["side"], ["radius"]]
    )
  })

  it("are told when they are a record", () => {
    const schema = told(Schema.Record(Schema.String, Schema.Finite))
    assert.deepInclude(schema, { type: "object", additionalProperties: { type: "number" } })
  })

  it("are told when they are a class", () => {
    assert.deepStrictEqual(Object.keys(told(Address).properties), ["street", "zip"])
  })

  it("are told when they contain themselves, also through a union", () => {
    interface Sum {
      readonly sum: ReadonlyArray<Sum | { readonly value: number }>
    }
    const Sum: Schema.Codec<Sum> = Schema.Struct({
      sum: Schema.Array(Schema.Union([Schema.suspend(() => Sum), Schema.Struct({ value: Schema.Finite })]))
    }).annotate({ identifier: "Sum" })
    const schema = told(Schema.Union([Sum, square]))
    assert.strictEqual(schema.type, "object")
    assert.strictEqual(schema.anyOf.length, 2)
    assert.deepStrictEqual(Object.keys(schema.$defs), ["Sum"])
    assert.include(JSON.stringify(schema.$defs.Sum), '{"$ref":"#/$defs/Sum"}')
  })

  it("are told when they refer to themselves as other tools write it", () => {
    const node = { type: "object", properties: { value: { type: "number" } } }
    const schema = {
      type: "object",
      properties: { next: { $ref: "#" }, node: { $ref: "#/definitions/node" }, same: { $ref: "#/properties/node" } },
      definitions: { node }
    }
    const { $defs, properties } = parametersOf(schema as any) as any
    assert.deepStrictEqual(properties, { next: { $ref: "#/$defs/root" }, node, same: node })
    assert.deepStrictEqual(Object.keys($defs.root.properties), ["next", "node", "same"])
  })

  it("are told when all of them is demanded in pieces", () => {
    const a = { type: "object", properties: { a: { type: "string" } }, required: ["a"] }
    const schema = { allOf: [{ $ref: "#/$defs/a" }, { properties: { b: { type: "number" } } }], $defs: { a } }
    assert.deepStrictEqual(parametersOf(schema as any) as object, {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "number" } },
      required: ["a"]
    })
  })

  it("may demand themselves without end", () => {
    assert.isUndefined(parametersOf({ allOf: [{ $ref: "#" }] } as any))
  })

  it.each([
    ["a list", { type: "array", items: { type: "string" } }],
    ["text", { type: "string" }],
    ["a union with text in it", { anyOf: [{ type: "string" }, { type: "object", properties: {} }] }],
    ["names that follow a pattern", { type: "object", patternProperties: { "^x": { type: "string" } } }],
    ["a reference to nothing", { $ref: "#/$defs/missing" }],
    ["a reference to itself", { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }]
  ])("are refused by the name of their tool when they are %s", (_, parameters) => {
    const wrong = undeclarable({
      ...setup,
      tools: [{ name: "draw", description: undefined, parameters: parameters as any }]
    })
    assert.strictEqual(wrong?.option, "tools.draw.parameters")
    assert.include(wrong?.message, "Expected")
  })

  it.each([[{}], [{ type: "object" }], [{ type: "object", properties: {}, additionalProperties: false }]])(
    "are nothing when there is nothing: %j",
    (parameters) => assert.isUndefined(problemOf(parameters as any))
  )
})
