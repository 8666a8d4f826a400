/**
 * The result of a tool as a sentence.
 */
import { capital, listed, sentence, spokenName } from "./language.ts"

/** Fields that matter more than all others. */
const mainFields = ["result", "value", "answer", "output", "text", "message", "content", "summary"]

const parse = (output: string): unknown => {
  try {
    return JSON.parse(output) as unknown
  } catch {
    return output
  }
}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const say = (value: unknown): string => {
  if (value === null || value === undefined) return "nothing"
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (typeof value !== "object") return `${value as string | number}`
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : listed(value.slice(0, 5).map(say))
  return listed(Object.entries(value).map(([key, field]) => `${spokenName(key)} ${say(field)}`))
}

const failure = (value: unknown): string | undefined => {
  if (!isRecord(value) || !("error" in value)) return undefined
  const { error } = value
  if (isRecord(error) && typeof error.message === "string") return error.message
  return error === null || error === false ? undefined : say(error)
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === "" || (isRecord(value) && Object.keys(value).length === 0)

/** The field of a record that matters, when it has one. */
const unwrap = (value: unknown): unknown => {
  if (!isRecord(value)) return value
  const keys = Object.keys(value)
  const main = mainFields.find((key) => key in value)
  if (main !== undefined && (keys.length === 1 || typeof value[main] !== "object")) return unwrap(value[main])
  return keys.length === 1 && /time|date|now/i.test(keys[0]!) ? unwrap(value[keys[0]!]) : value
}

/** The sentence about the result of the tool `name`. */
export const sayResult = (name: string, output: string): string => {
  const value = parse(output)
  const problem = failure(value)
  if (problem !== undefined) return sentence(`Sorry, ${spokenName(name)} did not work: ${problem}`)
  const point = unwrap(value)
  if (isEmpty(point)) return `Done with ${spokenName(name)}.`
  if (isRecord(point)) {
    return sentence(listed(Object.entries(point).map(([key, field]) => `the ${spokenName(key)} is ${say(field)}`)))
  }
  if (Array.isArray(point)) {
    return sentence(
      point.length === 0 ? `${capital(spokenName(name))} found nothing` : `I found ${point.length}: ${say(point)}`
    )
  }
  if (typeof point === "string" && /\s\S+\s/.test(point)) return sentence(point)
  if (/time|date|clock/i.test(name)) return sentence(`It is ${say(point)}`)
  if (/calc|math|comput|evaluat|sum/i.test(name)) return sentence(`The answer is ${say(point)}`)
  return sentence(`${capital(spokenName(name))} says ${say(point)}`)
}
