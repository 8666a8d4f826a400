/**
 * Arguments for a tool, taken from the sentence by the tool's JSON schema.
 */
import type { Tool } from "../../Prompt.ts"
import { expressionIn } from "./arithmetic.ts"
import { stem, toolContentOf, tokens } from "./language.ts"
import { numbersIn, withDigits } from "./numbers.ts"
import { fieldsOf } from "./schema.ts"
import type { Field } from "./schema.ts"
import { kinds, toolOfKind } from "./tools.ts"

/** The parts of the sentence that no argument has used yet. */
interface Source {
  readonly text: string
  readonly tool: Tool
  readonly numbers: Array<number>
  readonly quoted: Array<string>
  readonly names: Array<string>
}

const synonyms: { readonly [word: string]: string } = {
  plus: "add addition sum +",
  minus: "subtract subtraction -",
  times: "multiply multiplication multiplied *",
  over: "divide division divided /",
  celsius: "metric c centigrade",
  fahrenheit: "imperial f"
}

/** Words that open a request and are no part of what is asked for. */
const opening =
  /^(?:(?:please|can|could|would|will|you|now|then|also|i want to|i'd like to|i would like to|let's|hey|ok|okay)[\s,]+)+/i

const capitalised =
  /\b(?:in|for|at|near|from|to|of|with|called|named)\s+((?:the\s+)?\p{Lu}[\p{L}'.-]*(?:\s+(?:\p{Lu}[\p{L}'.-]*|de|of|la|los|las))*)/gu
const anyCase = /\b(?:in|for|at|near)\s+((?!the (?:time|weather)\b)\p{L}[\p{L}' -]*)/giu
const notOfName = /\b(?:and|today|tomorrow|tonight|now|right now|please|in|on|off|is|like)\b.*$/i

/** Names of places, people and things: capitalised words after a preposition, otherwise any words after one. */
const namesIn = (text: string): Array<string> => {
  const found = [...text.matchAll(capitalised)]
  const names = (found.length > 0 ? found : [...text.matchAll(anyCase)]).map((match) => match[1]!)
  return names.map((name) => name.replace(notOfName, "").replace(/[\s.,?!]+$/, "")).filter((name) => name !== "")
}

/** Whether a field is of a kind, by its name or, when that says little, by the start of its description. */
const wants = (name: string, field: Field, kind: RegExp): boolean =>
  tokens(name).some((word) => kind.test(word)) ||
  (/^(?:input|text|value|arg|argument|param|q|s)$/i.test(name) &&
    tokens(field.description)
      .slice(0, 5)
      .some((word) => kind.test(word)))

const placeLike = /^(?:city|place|location|town|country|region|area|destination|address|where)$/
const personLike = /^(?:person|name|recipient|contact|customer|guest|to|who|user|player|friend)$/
const idLike = /^(?:id|number|code|order|ticket|reference|account|phone|sku|tracking)$/
const sumLike = /^(?:expression|formula|equation|calculation|sum)$/
const dayLike = /^(?:date|day|when)$/
const textLike =
  /^(?:text|body|message|query|question|note|content|title|subject|description|reason|prompt|search|input|topic|term)$/

/** A quoted message in the sentence. */
const saidIn = (text: string): string | undefined =>
  /\b(?:saying|that says|with the (?:text|message|body|title)|called|titled)\s+(.+?)[.?!]*$/i.exec(text)?.[1]

const idIn = (text: string): string | undefined =>
  /(?<!\w)#?((?=[\w-]*\d)[A-Za-z0-9][\w-]*)/.exec(withDigits(text))?.[1]

const dayIn = (text: string): string | undefined =>
  /\b(?:\d{4}-\d{2}-\d{2}|today|tomorrow|tonight|yesterday|(?:next |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|next week)\b/i
    .exec(text)?.[0]
    .toLowerCase()

/** The sentence without the words that name the tool. */
const restOf = ({ text, tool }: Source): string => {
  const known = new Set(toolContentOf(tool.name))
  const body = text
    .trim()
    .replace(opening, "")
    .replace(/[.?!]+$/, "")
  const words = body.split(/\s+/)
  const skip = /^(?:for|about|that|to|of|the|a|an|me|my|:)$/i
  let from = 0
  while (
    from < words.length &&
    (known.has(stem(tokens(words[from]!)[0] ?? "")) || (from > 0 && skip.test(words[from]!)))
  )
    from++
  return from === words.length ? body : words.slice(from).join(" ")
}

const stringFor = (name: string, field: Field, source: Source): string | undefined => {
  if (wants(name, field, sumLike)) {
    const sum = expressionIn(source.text)
    if (sum !== undefined) return sum
  }
  if (field.format === "email" || /email/i.test(name)) return /[\w.+-]+@[\w-]+\.[\w.]+/.exec(source.text)?.[0]
  if (field.format === "date" || wants(name, field, dayLike)) return dayIn(source.text)
  if (wants(name, field, placeLike)) return source.names.shift()
  if (source.quoted.length > 0) return source.quoted.shift()
  if (wants(name, field, idLike)) return idIn(source.text)
  if (wants(name, field, personLike)) return source.names.shift()
  if (tokens(name).some((word) => textLike.test(word))) return saidIn(source.text)
  return source.names.shift()?.replace(/^the\s+/i, "")
}

const choiceFor = (choices: ReadonlyArray<unknown>, source: Source): unknown => {
  const said = new Set(tokens(source.text).flatMap((word) => [word, stem(word), ...(synonyms[word] ?? "").split(" ")]))
  if (/multiplied/i.test(source.text)) said.add("multiply")
  if (/divided/i.test(source.text)) said.add("divide")
  return choices.find((choice) => {
    const words = tokens(String(choice))
    return words.length === 0 ? said.has(String(choice)) : words.every((word) => said.has(word) || said.has(stem(word)))
  })
}

/** The value that the sentence gives for a field, or `undefined` when it gives none. */
const evidenceFor = (name: string, field: Field, source: Source): unknown => {
  if (field.choices.length > 0) return choiceFor(field.choices, source)
  switch (field.type) {
    case "string":
    case "any":
      return stringFor(name, field, source)
    case "number":
      return source.numbers.shift()
    case "integer": {
      const at = source.numbers.findIndex(Number.isInteger)
      return at < 0 ? undefined : source.numbers.splice(at, 1)[0]
    }
    case "boolean":
      return /\b(?:off|disable|without|false|don't|do not|not|no)\b/i.test(source.text)
        ? false
        : /\b(?:on|enable|with|true|yes)\b/i.test(source.text)
          ? true
          : undefined
    case "array": {
      if (field.items === undefined) return undefined
      if (field.items.type === "number" || field.items.type === "integer") {
        return source.numbers.length === 0 ? undefined : source.numbers.splice(0)
      }
      if (field.items.choices.length > 0) {
        const found = field.items.choices.filter((choice) => choiceFor([choice], source) !== undefined)
        return found.length === 0 ? undefined : found
      }
      const parts =
        source.quoted.length > 0 ? source.quoted.splice(0) : restOf(source).split(/,\s*(?:and\s+)?|\s+and\s+/)
      return field.items.type === "string" ? parts.filter((part) => part !== "") : undefined
    }
    case "object":
      return field.properties.length === 0 ? undefined : fillObject(field, source)
    case "null":
      return null
  }
}

const inventText = (name: string, field: Field, source: Source): string => {
  const rest = restOf(source)
  if (rest !== "") return rest
  if (wants(name, field, sumLike)) return "1 + 1"
  if (wants(name, field, placeLike)) return "San Francisco"
  if (field.format === "date" || wants(name, field, dayLike)) return "today"
  if (field.format === "email") return "someone@example.com"
  return wants(name, field, idLike) ? "1" : "test"
}

/** A value of the right type for a required field that the sentence does not mention. */
const inventFor = (name: string, field: Field, source: Source): unknown => {
  if (field.fallback !== undefined) return field.fallback
  if (field.nullable) return null
  if (field.choices.length > 0) return field.choices[0]
  switch (field.type) {
    case "string":
    case "any":
      return inventText(name, field, source)
    case "number":
    case "integer":
      return field.minimum ?? 0
    case "boolean":
      return true
    case "array":
      return []
    case "object":
      return fillObject(field, source)
    case "null":
      return null
  }
}

const fillObject = (field: Field, source: Source): { readonly [key: string]: unknown } => {
  const out: { [key: string]: unknown } = {}
  for (const { field: property, name, required } of field.properties) {
    const found = evidenceFor(name, property, source) ?? (required ? inventFor(name, property, source) : undefined)
    if (found !== undefined) out[name] = found
  }
  return out
}

/** Arguments for `tool` from `text`: required ones always, optional ones when the text mentions them. */
export const argumentsFor = (tool: Tool, text: string): { readonly [key: string]: unknown } => {
  const sum = expressionIn(text)
  const source: Source = {
    text,
    tool,
    numbers: [...numbersIn(text)],
    quoted: [...text.matchAll(/["“]([^"”]+)["”]/g)].map((match) => match[1]!),
    names: namesIn(text)
  }
  const fields = fieldsOf(tool.parameters)
  const [only, ...others] = fields.properties
  // the only string of a calculator is the expression, whatever its name
  const isSum = sum !== undefined && only !== undefined && others.length === 0 && only.field.type === "string"
  return isSum && only.field.choices.length === 0 && toolOfKind([tool], kinds.sum) !== undefined
    ? { [only.name]: sum }
    : fillObject(fields, source)
}
