/**
 * The result of a tool as JSON for a model, and how much of it.
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const isJsonValue = Schema.is(Schema.Json)

// getters and proxies may throw
const isJson = (value: unknown): value is Schema.Json => {
  try {
    return isJsonValue(value)
  } catch {
    return false
  }
}

/** The lowest limit of a result, in bytes: there has to be room for the text that says how much is left out. */
export const MIN_RESULT_LIMIT = 256

// Reading or writing what is nested deeper may overflow the stack.
const MAX_DEPTH = 512

const TOO_DEEP = `it is nested more than ${MAX_DEPTH} levels deep`

const isDeep = (value: unknown, left: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (left === 0 || Object.values(value).some((item) => isDeep(item, left - 1)))

/** JSON that is not nested too deeply to be passed on; else why it cannot be. */
export const shallow = (value: Schema.Json): Result.Result<Schema.Json, string> =>
  isDeep(value, MAX_DEPTH) ? Result.fail(TOO_DEEP) : Result.succeed(value)

type Encode = (value: unknown) => Effect.Effect<Schema.Json, unknown>

// a cache: making a codec takes longer than using it
const codecs = new WeakMap<Schema.Top, Encode>()

const codecOf = (schema: Schema.Top): Encode => {
  let encode = codecs.get(schema)
  if (encode === undefined) {
    encode = Schema.encodeUnknownEffect(Schema.toCodecJson(schema)) as Encode
    codecs.set(schema, encode)
  }
  return encode
}

/**
 * A value as JSON, by its schema: as the schema encodes it if that is JSON already (`encoded`), else as the schema's form
 * in JSON, else as {@link plain} writes it. Fails with why it cannot be written.
 */
export const byItsSchema = (
  schema: Schema.Top,
  value: unknown,
  encoded: unknown
): Effect.Effect<Result.Result<Schema.Json, string>> =>
  isJson(encoded)
    ? Effect.succeed(shallow(encoded))
    : Effect.map(Effect.exit(Effect.suspend(() => codecOf(schema)(value))), (exit) =>
        Exit.isSuccess(exit) && isJson(exit.value) ? shallow(exit.value) : plain(encoded)
      )

/**
 * A value that no schema describes, as JSON. What JSON does not have is written as schemas write it: a bigint in its
 * digits, a date as ISO 8601, maps and sets as lists, bytes in base64. Fails with what cannot be written.
 */
export const plain = (value: unknown): Result.Result<Schema.Json, string> =>
  Result.try({
    try: () => write(value, [], new Set()),
    catch: (error) => (error instanceof Error ? error.message : String(error))
  })

const write = (value: unknown, path: ReadonlyArray<string | number>, inside: Set<object>): Schema.Json => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      return Number.isFinite(value) ? value : String(value)
    case "bigint":
      return value.toString()
    case "undefined":
      return null
    case "object":
      break
    default:
      throw new Error(`a ${typeof value}${at(path)} has no form in JSON`)
  }
  if (value === null) return null
  if (inside.has(value)) throw new Error(`the value${at(path)} contains itself`)
  if (inside.size >= MAX_DEPTH) throw new Error(TOO_DEEP)
  inside.add(value)
  const json = ofObject(value, path, inside)
  inside.delete(value)
  return json
}

const ofObject = (value: object, path: ReadonlyArray<string | number>, inside: Set<object>): Schema.Json => {
  const list = (items: Iterable<unknown>) => Array.from(items, (item, index) => write(item, [...path, index], inside))
  if (value instanceof Date && Number.isNaN(value.getTime())) return "Invalid Date"
  if ("toJSON" in value && typeof value.toJSON === "function" && !ArrayBuffer.isView(value)) {
    return write(value.toJSON(), path, inside)
  }
  if (ArrayBuffer.isView(value)) return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value))
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return list(value as Iterable<unknown>)
  if (value instanceof Error) return value.message
  const json: Record<string, Schema.Json> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || typeof item === "function") continue
    Object.defineProperty(json, key, { value: write(item, [...path, key], inside), enumerable: true, writable: true })
  }
  return json
}

const base64 = (bytes: Uint8Array): string => Base64.encode(bytes)

const at = (path: ReadonlyArray<string | number>): string => (path.length === 0 ? "" : ` at ${JSON.stringify(path)}`)

const encoder = new TextEncoder()

/**
 * A result of at most `limit` bytes of UTF-8, as text or as JSON. A larger one becomes a text: its beginning, and how much
 * was cut.
 */
export const bounded = (result: Schema.Json, limit: number): Schema.Json => {
  const text = typeof result === "string" ? result : JSON.stringify(result)
  // a unit of a string takes at most three bytes
  if (text.length * 3 <= limit) return result
  const size = encoder.encode(text).length
  if (size <= limit) return result
  const mark = (kept: number) => ` … [cut: of ${size} bytes, ${size - kept} are left out here]`
  const room = Math.max(0, limit - encoder.encode(mark(0)).length)
  // whole characters only
  const { read, written } = encoder.encodeInto(text, new Uint8Array(room))
  return text.slice(0, read) + mark(written)
}
