/**
 * The parts of JSON schema that matter for arguments.
 */
type Json = { readonly [key: string]: unknown }

/** What one value of a tool's arguments may be. */
export interface Field {
  readonly type: "string" | "number" | "integer" | "boolean" | "array" | "object" | "null" | "any"
  readonly choices: ReadonlyArray<unknown>
  readonly nullable: boolean
  readonly fallback: unknown
  readonly minimum: number | undefined
  readonly description: string
  readonly format: string | undefined
  readonly items: Field | undefined
  readonly properties: ReadonlyArray<{ readonly name: string; readonly required: boolean; readonly field: Field }>
}

const types = new Set(["string", "number", "integer", "boolean", "array", "object", "null"])

/** Schemas may be recursive. Deeper arguments are left out. */
const deepest = 6

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const follow = (schema: Json, root: Json): Json => {
  if (typeof schema.$ref !== "string" || !schema.$ref.startsWith("#/")) return schema
  let found: unknown = root
  for (const key of schema.$ref.slice(2).split("/")) found = isJson(found) ? found[key] : undefined
  return isJson(found) ? found : {}
}

/** `anyOf`, `oneOf` and lists of types, as the first alternative that is not null. */
const choose = (schema: Json, root: Json): readonly [Json, boolean] => {
  const alternatives = [schema.anyOf, schema.oneOf].find(Array.isArray) as ReadonlyArray<unknown> | undefined
  if (alternatives !== undefined) {
    const all = alternatives.filter(isJson).map((one) => follow(one, root))
    const constants = all.filter((one) => "const" in one).map((one) => one.const)
    if (constants.length > 1) return [{ enum: constants }, all.some((one) => one.type === "null")]
    const picked = all.find((one) => one.type !== "null") ?? {}
    return [{ ...schema, anyOf: undefined, oneOf: undefined, ...picked }, all.some((one) => one.type === "null")]
  }
  if (Array.isArray(schema.type)) {
    const picked = schema.type.find((type) => type !== "null") as unknown
    return [{ ...schema, type: picked }, schema.type.includes("null")]
  }
  return [schema, false]
}

const read = (input: unknown, root: Json, depth: number): Field => {
  const [schema, nullable] = choose(follow(isJson(input) ? input : {}, root), root)
  const choices = "const" in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : []
  const given = isJson(schema.properties) && depth < deepest ? schema.properties : undefined
  const required = Array.isArray(schema.required) ? schema.required : []
  const type = typeof schema.type === "string" && types.has(schema.type) ? (schema.type as Field["type"]) : undefined
  return {
    type: type ?? (given === undefined ? "any" : "object"),
    choices,
    nullable,
    fallback: schema.default,
    minimum: typeof schema.minimum === "number" ? schema.minimum : undefined,
    description: typeof schema.description === "string" ? schema.description : "",
    format: typeof schema.format === "string" ? schema.format : undefined,
    items: isJson(schema.items) && depth < deepest ? read(schema.items, root, depth + 1) : undefined,
    properties: Object.entries(given ?? {}).map(([name, property]) => ({
      name,
      required: required.includes(name),
      field: read(property, root, depth + 1)
    }))
  }
}

/** The fields of a tool's parameters; anything that is not a schema has none. */
export const fieldsOf = (parameters: unknown): Field => read(parameters, isJson(parameters) ? parameters : {}, 0)
