/**
 * The JSON Schema of a tool's parameters, as far as the provider takes it. What is left out is not lost: the arguments
 * are checked against the whole schema before the tool gets them.
 */
import type * as JsonSchema from "effect/JsonSchema"
import { type Fields, isFields } from "@effect-bidi/core/adapter/Json"

/** `undefined`: the tool takes nothing, or what it takes cannot be told (`problemOf`). */
export const parametersOf = (schema: JsonSchema.JsonSchema): Fields | undefined => {
  const { definitions, root } = rooted(schema)
  if (root === undefined || takesNothing(root)) return undefined
  const used = new Set<string>()
  const known = (name: string) => isFields(definitions[name])
  const recursive = new Set(Object.keys(definitions).filter((name) => reaches(definitions[name], name, definitions)))
  const context: Context = { definitions, recursive, known, used }
  const cleaned = { ...(root.type === undefined && isUnion(root) ? { type: "object" } : {}), ...clean(root, context) }
  const kept: Record<string, Fields> = {}
  // a definition may use others
  for (const name of used) kept[name] = clean(definitions[name] as Fields, context)
  return used.size === 0 ? cleaned : { ...cleaned, $defs: kept }
}

/** Why the provider cannot be told what a tool takes. */
export const problemOf = (schema: JsonSchema.JsonSchema): string | undefined => {
  const { definitions, root } = rooted(schema)
  if (root === undefined) return "Expected a schema, not a reference to nothing"
  if (root.type !== undefined && root.type !== "object") {
    return `Expected the schema of an object, not of ${JSON.stringify(root.type)}: put it into a property`
  }
  const alternatives = alternativesOf(root)
  if (alternatives?.some((one) => !isObject(one, definitions)) === true) {
    return "Expected alternatives that are objects: put them into a property"
  }
  if (!takesNothing(root) || !isFields(root.patternProperties)) return undefined
  return "Expected properties with names: this model cannot be told of names that follow a pattern"
}

/** The schema itself, and what it refers to by name. */
const rooted = (schema: Fields): { readonly root: Fields | undefined; readonly definitions: Fields } => {
  const named = withNames(schema)
  const definitions = isFields(named.$defs) ? named.$defs : {}
  const root = resolve(named, definitions)
  return { root: root.$ref === undefined ? flatten(root, definitions) : undefined, definitions }
}

const takesNothing = (root: Fields): boolean =>
  !(isFields(root.properties) && Object.keys(root.properties).length > 0) &&
  !isUnion(root) &&
  !isFields(root.additionalProperties)

const alternativesOf = ({ anyOf, oneOf }: Fields): ReadonlyArray<unknown> | undefined =>
  Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined

const isUnion = (root: Fields): boolean => alternativesOf(root) !== undefined

// Schemas within schemas that are looked into.
const DEEPEST = 8

const isObject = (schema: unknown, definitions: Fields, depth = 0): boolean => {
  if (!isFields(schema) || depth > DEEPEST) return false
  const found = flatten(resolve(schema, definitions), definitions)
  if (found.type === "object" || isFields(found.properties)) return true
  const alternatives = alternativesOf(found)
  return alternatives !== undefined && alternatives.every((one) => isObject(one, definitions, depth + 1))
}

const DEFS = "#/$defs/"

/** References to any place (`#`, `#/definitions/…`, `#/properties/…`) as references to `$defs`. */
const withNames = (schema: Fields): Fields => {
  const { $defs, definitions: _, ...root } = schema
  const named: Record<string, unknown> = isFields($defs) ? { ...$defs } : {}
  const names = new Map<string, string>()
  const nameFor = (ref: string): string | undefined => {
    const target = ref === "#" ? root : at(schema, ref)
    if (!isFields(target)) return undefined
    const known = names.get(ref)
    if (known !== undefined) return known
    const wanted = ref === "#" ? "root" : (ref.split("/").at(-1) ?? "part")
    let name = wanted
    for (let n = 2; name in named; n++) name = `${wanted}${n}`
    names.set(ref, name)
    named[name] = {} // its place, also for references within it
    named[name] = renamed(target)
    return name
  }
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(renamed)
    if (!isFields(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key !== "$ref" || typeof inner !== "string" || !inner.startsWith("#") || inner.startsWith(DEFS)) {
          return [key, renamed(inner)]
        }
        const name = nameFor(inner)
        return [key, name === undefined ? inner : DEFS + name]
      })
    )
  }
  const out = renamed(root) as Fields
  for (const [name, one] of isFields($defs) ? Object.entries($defs) : []) named[name] = renamed(one)
  return Object.keys(named).length === 0 ? out : { ...out, $defs: named }
}

const at = (schema: Fields, ref: string): unknown =>
  ref
    .split("/")
    .slice(1)
    .reduce<unknown>((value, step) => {
      const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
      if (Array.isArray(value)) return value[Number(key)]
      return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined
    }, schema)

interface Context {
  readonly definitions: Fields
  /** Definitions that contain themselves: only these stay references. */
  readonly recursive: ReadonlySet<string>
  readonly known: (name: string) => boolean
  readonly used: Set<string>
}

const nameOf = (ref: unknown): string | undefined =>
  typeof ref === "string" && ref.startsWith(DEFS)
    ? decodeURIComponent(ref.slice(DEFS.length)).replaceAll("~1", "/").replaceAll("~0", "~")
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
  for (const [key, value] of Object.entries(flatten(schema, context.definitions))) {
    const kept = keep(key, value, context)
    if (kept !== undefined) out[key] = kept
  }
  return out
}

// `allOf` is not taken: what it demands is demanded by the schema itself
const flatten = (schema: Fields, definitions: Fields, depth = 0): Fields => {
  const { allOf, const: constant, exclusiveMaximum, exclusiveMinimum, ...rest } = schema
  const step = rest.type === "integer" ? 1 : 0
  let out: Fields = {
    ...rest,
    ...(constant === undefined ? {} : { enum: [constant] }),
    ...(typeof exclusiveMinimum === "number" ? { minimum: exclusiveMinimum + step } : {}),
    ...(typeof exclusiveMaximum === "number" ? { maximum: exclusiveMaximum - step } : {})
  }
  // one that demands itself demands nothing more
  if (depth > DEEPEST) return out
  for (const part of Array.isArray(allOf) ? allOf.filter(isFields) : []) {
    out = merge(out, flatten(resolve(part, definitions), definitions, depth + 1))
  }
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
