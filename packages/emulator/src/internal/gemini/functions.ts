/**
 * Functions as they are declared.
 */
import { camelCase, fields, invalid, isRecord, list, literals, record, Refused, refused, text } from "./check.ts"
import type { Check } from "./check.ts"
import type { Behavior, Family } from "./family.ts"

/** A function that the model may call; `parameters` is a JSON schema. */
export interface Declared {
  readonly name: string
  readonly description: string
  readonly parameters: unknown
  readonly behavior: Behavior
}

const simple = new Set(
  (
    "type format title description nullable enum maxItems minItems required minProperties maxProperties minLength maxLength " +
    "pattern example propertyOrdering default minimum maximum"
  ).split(" ")
)

/**
 * The subset of OpenAPI that `parameters` is written in. Schemas of current JSON Schema belong in
 * `parametersJsonSchema`; here their keywords are unknown.
 */
const schema: Check<unknown> = (value, path) => {
  if (!isRecord(value)) return invalid(path, "an object", value)
  for (const [given, inner] of Object.entries(value)) {
    const key = camelCase(given)
    const at = `${path}.${key}`
    const parts: ReadonlyArray<readonly [unknown, string]> =
      key === "items"
        ? [[inner, at]]
        : key === "anyOf" && Array.isArray(inner)
          ? inner.map((one: unknown, i) => [one, `${at}[${i}]`])
          : key === "properties" && isRecord(inner)
            ? Object.entries(inner).map(([name, one]) => [one, `${at}.${name}`])
            : []
    if (parts.length === 0 && key !== "properties" && !simple.has(key)) {
      return refused(`Invalid JSON payload received. Unknown name "${given}" at '${path}': Cannot find field.`, at)
    }
    for (const [part, where] of parts) {
      const checked = schema(part, where)
      if (checked instanceof Refused) return checked
    }
  }
  return value
}

const anything: Check<unknown> = (value) => value

const declaration = fields(
  { name: text },
  {
    description: text,
    parameters: schema,
    parametersJsonSchema: anything,
    response: schema,
    responseJsonSchema: anything,
    behavior: literals("UNSPECIFIED", "BLOCKING", "NON_BLOCKING")
  }
)

/** Tools that are not functions are accepted and never used. */
export const tools = list(
  fields(
    {},
    {
      functionDeclarations: list(declaration),
      googleSearch: record,
      googleSearchRetrieval: record,
      googleMaps: record,
      codeExecution: record,
      urlContext: record,
      computerUse: record,
      fileSearch: record,
      mcpServers: list(record)
    }
  )
)

type Given = Exclude<ReturnType<typeof tools>, Refused>

/** JSON Schema from OpenAPI, whose types are written in capitals. */
const lowerCase = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(lowerCase)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "type" && typeof inner === "string" ? inner.toLowerCase() : lowerCase(inner)
    ])
  )
}

/** The declared functions, as this family runs them, or why they are refused. */
export const declaredIn = (given: Given, family: Family, path: string): ReadonlyArray<Declared> | Refused => {
  const all: Array<Declared> = []
  for (const [i, tool] of given.entries()) {
    for (const [j, one] of (tool.functionDeclarations ?? []).entries()) {
      const at = `${path}[${i}].functionDeclarations[${j}]`
      if (!/^[A-Za-z_][\w.:-]{0,63}$/.test(one.name)) {
        return refused(
          `* BidiGenerateContentRequest.${at}.name: Invalid function name. Must start with a letter or an underscore.`
        )
      }
      if (all.some(({ name }) => name === one.name)) {
        return refused(`Duplicate function declaration found: ${one.name}`)
      }
      const behavior = one.behavior === undefined || one.behavior === "UNSPECIFIED" ? family.behaviors[0] : one.behavior
      if (!family.behaviors.includes(behavior)) return invalid(`${at}.behavior`, family.behaviors.join("|"), behavior)
      all.push({
        name: one.name,
        description: one.description ?? "",
        parameters: one.parametersJsonSchema ?? lowerCase(one.parameters) ?? {},
        behavior
      })
    }
  }
  return all
}
