/**
 * The JSON Schema of a tool's parameters, as far as the provider takes it. What is left out is not lost: the arguments
 * are checked against the whole schema before the tool gets them.
 */
import type * as JsonSchema from "effect/JsonSchema"
import { type Fields, isFields } from "./frame.ts"

/** `undefined`: the tool takes nothing. */
export const parametersOf = (schema: JsonSchema.JsonSchema): Fields | undefined => {
  const definitions = isFields(schema.$defs) ? schema.$defs : {}
  const used = new Set<string>()
  const known = (name: string) => isFields(definitions[name])
  const root = resolve(schema, definitions)
  if (!isFields(root.properties) || Object.keys(root.properties).length === 0) return undefined
  const recursive = new Set(Object.keys(definitions).filter((name) => reaches(definitions[name], name, definitions)))
  const context: Context = { definitions, recursive, known, used }
  const cleaned = clean(root, context)
  const kept: Record<string, Fields> = {}
  // a definition may use others
  for (const name of used) kept[name] = clean(definitions[name] as Fields, context)
  return used.size === 0 ? cleaned : { ...cleaned, $defs: kept }
}

interface Context {
  readonly definitions: Fields
  /** Definitions that contain themselves: only these stay references. */
  readonly recursive: ReadonlySet<string>
  readonly known: (name: string) => boolean
  readonly used: Set<string>
}

const nameOf = (ref: unknown): string | undefined =>
  typeof ref === "string" && ref.startsWith("#/$defs/")
    ? decodeURIComponent(ref.slice("#/$defs/".length)).replaceAll("~1", "/").replaceAll("~0", "~")
    : undefined

const resolve = (schema: Fields, definitions: Fields): Fields => {
  const seen = new Set<string>()
  let current = schema
  for (let name = nameOf(current.$ref); name !== undefined && !seen.has(name); name = nameOf(current.$ref)) {
    seen.add(name)
    const next = definitions[name]
    if (!isFields(next)) break
    current = next
  }
  return current
}

const reaches = (from: unknown, name: string, definitions: Fields, seen = new Set<string>()): boolean => {
  if (Array.isArray(from)) return from.some((one) => reaches(one, name, definitions, seen))
  if (!isFields(from)) return false
  const ref = nameOf(from.$ref)
  if (ref === name) return true
  if (ref !== undefined && !seen.has(ref)) {
    seen.add(ref)
    if (reaches(definitions[ref], name, definitions, seen)) return true
  }
  return Object.values(from).some((value) => reaches(value, name, definitions, seen))
}

const clean = (schema: Fields, context: Context): Fields => {
  const name = nameOf(schema.$ref)
  if (name !== undefined && context.known(name)) {
    if (!context.recursive.has(name)) {
      const { $ref: _, ...beside } = schema
      return clean({ ...(context.definitions[name] as Fields), ...beside }, context)
    }
    context.used.add(name)
    return { $ref: schema.$ref }
  }
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(flatten(schema))) {
    const kept = keep(key, value, context)
    if (kept !== undefined) out[key] = kept
  }
  return out
}

// `allOf` is not taken: what it demands is demanded by the schema itself
const flatten = (schema: Fields): Fields => {
  const { allOf, const: constant, exclusiveMaximum, exclusiveMinimum, ...rest } = schema
  const step = rest.type === "integer" ? 1 : 0
  let out: Fields = {
    ...rest,
    ...(constant === undefined ? {} : { enum: [constant] }),
    ...(typeof exclusiveMinimum === "number" ? { minimum: exclusiveMinimum + step } : {}),
    ...(typeof exclusiveMaximum === "number" ? { maximum: exclusiveMaximum - step } : {})
  }
  for (const part of Array.isArray(allOf) ? allOf.filter(isFields) : []) out = merge(out, flatten(part))
  return out
}

const merge = (one: Fields, other: Fields): Fields => ({
  ...one,
  ...other,
  ...(isFields(one.properties) && isFields(other.properties)
    ? { properties: { ...one.properties, ...other.properties } }
    : {}),
  ...(Array.isArray(one.required) && Array.isArray(other.required)
    ? { required: [...new Set([...one.required, ...other.required])] }
    : {})
})

const keep = (key: string, value: unknown, context: Context): unknown => {
  switch (key) {
    case "type":
    case "title":
    case "description":
    case "required":
    case "minItems":
    case "maxItems":
      return value
    case "minimum":
    case "maximum":
      // the bounds of every integer say nothing
      return Math.abs(value as number) === Number.MAX_SAFE_INTEGER ? undefined : value
    case "enum":
      return Array.isArray(value) && value.every((one) => typeof one === "string" || typeof one === "number")
        ? value
        : undefined
    case "format":
      return typeof value === "string" && ["date-time", "date", "time"].includes(value) ? value : undefined
    case "properties":
      return isFields(value)
        ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cleanIfFields(one, context)]))
        : undefined
    case "items":
    case "additionalProperties":
      return cleanIfFields(value, context)
    case "prefixItems":
    case "anyOf":
    case "oneOf":
      return Array.isArray(value) ? value.map((one) => cleanIfFields(one, context)) : undefined
    default:
      return undefined
  }
}

const cleanIfFields = (value: unknown, context: Context): unknown => (isFields(value) ? clean(value, context) : value)
