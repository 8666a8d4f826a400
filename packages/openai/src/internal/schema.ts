/**
 * The parameters of a tool, as the provider takes them.
 *
 * It refuses a session whose tools have a schema that is no object at its root, or is put together there (`$ref`,
 * `anyOf`, `oneOf`, `allOf`, `not`, `enum`), an object without `properties`, and a list without `items`. Such schemas are
 * written otherwise, never narrower: whoever calls the tool still checks the arguments against the schema itself.
 */
import type { ToolDefinition } from "@effect-bidi/core/BidiModel"
import type * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import { type Fields, isFields } from "@effect-bidi/core/adapter/Json"

const NAME = /^[a-zA-Z0-9_-]{1,64}$/

/** What is wrong with a tool, and where. */
export interface WrongTool {
  readonly option: string
  readonly message: string
}

/** The tools, with parameters that the provider takes; or the first that it would refuse. */
export const declare = (
  tools: ReadonlyArray<ToolDefinition>
): Result.Result<ReadonlyArray<ToolDefinition>, WrongTool> => {
  const declared: Array<ToolDefinition> = []
  for (const tool of tools) {
    const { name, parameters } = tool
    if (!NAME.test(name)) {
      const message = `the name of the tool ${JSON.stringify(name)} is not taken: expected 1 to 64 letters, digits, _ and -`
      return Result.fail({ option: "tools", message })
    }
    const root = rootOf(parameters, parameters, 0)
    if (typeof root === "string") {
      const message = `the parameters of the tool "${name}" are not taken: ${root}; expected an object`
      return Result.fail({ option: `tools.${name}.parameters`, message })
    }
    declared.push({ ...tool, parameters: tidy(root) as JsonSchema.JsonSchema })
  }
  return Result.succeed(declared)
}

// deeper than this a root refers to itself
const DEPTH = 32

/** A schema that is an object by itself, or why there is none. */
const rootOf = (schema: Fields, whole: Fields, depth: number): Fields | string => {
  if (depth > DEPTH) return "their root refers to itself"
  if (typeof schema.$ref === "string") {
    const { $ref: ref, ...beside } = schema
    const target = find(whole, ref as string)
    return target === undefined ? `${ref} is not defined` : rootOf({ ...target, ...beside }, whole, depth + 1)
  }
  const all = variants(schema, "allOf")
  if (all !== undefined) {
    const { allOf: _, ...own } = schema
    return join([own, ...all], whole, depth, true)
  }
  for (const key of ["anyOf", "oneOf"]) {
    const some = variants(schema, key)
    if (some === undefined) continue
    const { [key]: _, ...own } = schema
    const either = join(some, whole, depth, false)
    if (typeof either === "string") return either
    return Object.keys(own).every((key) => !isShape(key))
      ? { ...own, ...either }
      : join([own, either], whole, depth, true)
  }
  if (schema.enum !== undefined || schema.const !== undefined) return "they are a choice of values"
  // what `Schema.Struct({})` is: anything that is not null
  if (schema.not !== undefined)
    return isAnything(schema) ? { type: "object", properties: {} } : "they are what they are not"
  if (schema.type !== undefined && schema.type !== "object") return `they are of type ${JSON.stringify(schema.type)}`
  return { ...schema, type: "object", properties: isFields(schema.properties) ? schema.properties : {} }
}

const isShape = (key: string) => key === "properties" || key === "required" || key === "type"

const isAnything = ({ not, ...rest }: Fields) =>
  isFields(not) && not.type === "null" && Object.keys(not).length === 1 && rest.type === undefined

const variants = (schema: Fields, key: string): ReadonlyArray<Fields> | undefined => {
  const list = schema[key]
  return Array.isArray(list) ? list.filter(isFields) : undefined
}

const find = (whole: Fields, ref: string): Fields | undefined => {
  let at: unknown = whole
  if (!ref.startsWith("#/")) return undefined
  for (const part of ref.slice(2).split("/")) {
    if (!isFields(at)) return undefined
    at = at[part.replaceAll("~1", "/").replaceAll("~0", "~")]
  }
  return isFields(at) ? at : undefined
}

/**
 * One object instead of several: a property that several have may be what each says of it, and is required where `all`
 * apply and one requires it, or where each does.
 */
const join = (parts: ReadonlyArray<Fields>, whole: Fields, depth: number, all: boolean): Fields | string => {
  const objects: Array<Fields> = []
  for (const part of parts) {
    if (Object.keys(part).length === 0) continue
    const root = rootOf(part, whole, depth + 1)
    if (typeof root === "string") return root
    objects.push(root)
  }
  const properties = new Map<string, Array<unknown>>()
  const required = new Map<string, number>()
  for (const object of objects) {
    for (const [name, schema] of Object.entries(object.properties as Fields)) {
      const known = properties.get(name) ?? []
      if (!known.some((one) => JSON.stringify(one) === JSON.stringify(schema))) known.push(schema)
      properties.set(name, known)
    }
    for (const name of Array.isArray(object.required) ? object.required : []) {
      required.set(name, (required.get(name) ?? 0) + 1)
    }
  }
  const needed = [...required].filter(([, times]) => all || times === objects.length).map(([name]) => name)
  const closed = objects.every(({ additionalProperties }) => additionalProperties === false)
  const one = ([name, schemas]: [string, Array<unknown>]) =>
    [name, schemas.length === 1 ? schemas[0] : { [all ? "allOf" : "anyOf"]: schemas }] as const
  return {
    type: "object",
    properties: Object.fromEntries(Array.from(properties, one)),
    ...(needed.length === 0 ? {} : { required: needed }),
    ...(closed ? { additionalProperties: false } : {}),
    ...(isFields(whole.$defs) ? { $defs: whole.$defs } : {})
  }
}

// what holds schemas by name
const named = new Set(["properties", "$defs", "definitions", "patternProperties"])
// and what holds none
const values = new Set(["enum", "const", "default", "examples", "required", "description", "title"])

const tidy = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(tidy)
  if (!isFields(schema)) return schema
  const tidied: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (values.has(key)) tidied[key] = value
    else if (named.has(key) && isFields(value)) {
      tidied[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, tidy(one)]))
    } else tidied[key] = tidy(value)
  }
  const isList = tidied.type === "array" || (Array.isArray(tidied.type) && tidied.type.includes("array"))
  if (!isList || isFields(tidied.items)) return tidied
  // what the list begins with is all it has, or something it may have
  const { prefixItems } = tidied
  if (!Array.isArray(prefixItems)) return { ...tidied, items: {} }
  return { ...tidied, items: prefixItems.length === 1 ? prefixItems[0] : { anyOf: prefixItems } }
}
