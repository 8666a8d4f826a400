/**
 * Tools as the provider takes them: names of `[a-zA-Z0-9_-]`, and parameters that are an object with named properties.
 *
 * AWS documents three fields at the top of a tool's schema, `type` ("object"), `properties` and `required`; there are no
 * references. Definitions are put in the place of what refers to them. What cannot be said is an error with the name of
 * the tool, before anything is dialled: arguments that the model was never told of would only be refused, call after call.
 */
import type { ToolDefinition } from "@effect-bidi/core/BidiModel"
import * as Result from "effect/Result"
import { type Fields, isFields } from "@effect-bidi/core/adapter/Json"

/** A tool whose `parameters` can be sent. */
export interface DeclaredTool extends Pick<ToolDefinition, "name" | "description"> {
  readonly parameters: Fields
}

/** What is wrong with a tool, in words; its name is part of them. */
export type WrongTool = string

/** All tools, or what is wrong with the first that the provider would not take. */
export const declare = (
  tools: ReadonlyArray<ToolDefinition>
): Result.Result<ReadonlyArray<DeclaredTool>, WrongTool> => {
  const declared: Array<DeclaredTool> = []
  for (const tool of tools) {
    if (!NAME.test(tool.name)) return Result.fail(`${told(tool)}: Expected a name of 1 to 64 letters, digits, _ and -`)
    try {
      declared.push({ name: tool.name, ...parametersOf(tool) })
    } catch (error) {
      if (error instanceof Unsayable) return Result.fail(`${told(tool)}: ${error.message}`)
      throw error
    }
  }
  return Result.succeed(declared)
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/

const told = ({ name }: ToolDefinition) => `The tool ${JSON.stringify(name)}`

/** Caught in this file. */
class Unsayable extends Error {}

const parametersOf = ({ description, parameters }: ToolDefinition): Omit<DeclaredTool, "name"> => {
  const { definitions, $defs = definitions, ...root } = parameters as Fields
  const schema = inlined(root, isFields($defs) ? $defs : {}, [])
  const { additionalProperties: more, anyOf, description: about, oneOf, properties = {}, required, type } = schema
  if (anyOf !== undefined || oneOf !== undefined) {
    throw new Unsayable("Expected parameters with named properties, got a union; put it into a property")
  }
  if ((type ?? "object") !== "object" || !isFields(properties)) {
    throw new Unsayable(
      `Expected parameters with named properties, got ${JSON.stringify(type)}; put it into a property`
    )
  }
  if (more !== undefined || schema.patternProperties !== undefined) {
    throw new Unsayable("Expected parameters with named properties, got a record with any keys; put it into a property")
  }
  return {
    description: description ?? (typeof about === "string" ? about : undefined),
    parameters: {
      type: "object",
      properties: worded(properties) as Fields,
      ...(Array.isArray(required) && required.length > 0 ? { required } : {})
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// without references
// ---------------------------------------------------------------------------------------------------------------------

/** `within`: the definitions that are being put in, from the outside in. */
const inlined = (schema: Fields, definitions: Fields, within: ReadonlyArray<string>): Fields => {
  const { $comment: _c, $defs: _d, $id: _i, $ref, $schema: _s, ...beside } = schema
  if ($ref === undefined) return merged(eachSchema(beside, (one) => inlined(one, definitions, within)))
  const name = nameOf($ref)
  const definition = name === undefined ? undefined : definitions[name]
  if ($ref === "#" || (name !== undefined && within.includes(name))) {
    throw new Unsayable("Expected parameters that end, got a type that contains itself")
  }
  if (name === undefined || !isFields(definition)) {
    throw new Unsayable(`Expected a definition of ${JSON.stringify($ref)}, which the schema does not have`)
  }
  const [target, rest] = [inlined(definition, definitions, [...within, name]), inlined(beside, definitions, within)]
  return merge(target, rest)
}

const nameOf = (ref: unknown): string | undefined => {
  const name = typeof ref === "string" ? /^#\/(?:\$defs|definitions)\/(.+)$/.exec(ref)?.[1] : undefined
  return name === undefined ? undefined : decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~")
}

/** What `allOf` demands is demanded by the schema itself, where the two do not speak of the same thing. */
const merged = (schema: Fields): Fields => {
  const { allOf, ...rest } = withoutPermission(schema)
  if (!Array.isArray(allOf)) return rest
  return allOf.filter(isFields).reduce(merge, rest)
}

const merge = (one: Fields, other: Fields): Fields => {
  const both: Record<string, unknown> = { ...one, ...other }
  if (isFields(one.properties) && isFields(other.properties))
    both.properties = { ...one.properties, ...other.properties }
  if (Array.isArray(one.required) && Array.isArray(other.required)) {
    both.required = [...new Set([...one.required, ...other.required])]
  }
  return both
}

// What more an object may have is not said where that is anything, or nothing: arguments are checked when they come.
const withoutPermission = (schema: Fields): Fields => {
  const { additionalProperties: more, ...rest } = schema
  return isFields(more) && Object.keys(more).length > 0 ? schema : rest
}

// ---------------------------------------------------------------------------------------------------------------------
// records, in words
// ---------------------------------------------------------------------------------------------------------------------

/** An object with any keys is one without properties; what its values are is told in words. */
const worded = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isFields(value) ? wordedSchema(value) : value])
  )

const wordedSchema = (schema: Fields): Fields => {
  const { additionalProperties: more, patternProperties, ...rest } = eachSchema(schema, wordedSchema)
  const values = more ?? patternProperties
  if (values === undefined) return rest
  const about = typeof rest.description === "string" ? `${rest.description} ` : ""
  const keys = more === undefined ? "Keys match a pattern, values are by that" : "Any keys; every value is"
  return { ...rest, description: `${about}(${keys}: ${JSON.stringify(values)})` }
}

// ---------------------------------------------------------------------------------------------------------------------
// every schema in a schema
// ---------------------------------------------------------------------------------------------------------------------

const ONE = ["items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"]
const MANY = ["prefixItems", "anyOf", "oneOf", "allOf"]
const NAMED = ["properties", "patternProperties", "dependentSchemas"]

const eachSchema = (schema: Fields, map: (schema: Fields) => Fields): Fields => {
  const each = (value: unknown) => (isFields(value) ? map(value) : value)
  const out: Record<string, unknown> = { ...schema }
  for (const key of ONE) if (key in out) out[key] = each(out[key])
  for (const key of MANY) if (Array.isArray(out[key])) out[key] = (out[key] as ReadonlyArray<unknown>).map(each)
  for (const key of NAMED) {
    const named = out[key]
    if (isFields(named))
      out[key] = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, each(value)]))
  }
  return out
}
