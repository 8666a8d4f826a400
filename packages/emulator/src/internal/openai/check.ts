/**
 * Checks of untrusted JSON that fail as the provider does: with a code, a sentence and the path of the parameter.
 *
 * `effect/Schema` would say what is wrong as well, but not in the provider's codes and words, which clients match on.
 */

export interface Problem {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

/** A refusal. A class, so that no checked value can be taken for one. */
export class Refused {
  readonly problem: Problem
  constructor(code: string, message: string, param: string | null) {
    this.problem = { code, message, param }
  }
}

/** The value in its type, or why not; `path` is where it stands in the event. */
export type Check<A> = (value: unknown, path: string) => A | Refused

export type Checked<C> = C extends Check<infer A> ? A : never

const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "number") return Number.isInteger(value) ? "an integer" : "a decimal number"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

const wrongType = (value: unknown, path: string, expected: string): Refused => {
  const what = path === "" ? "the event" : `'${path}'`
  const message = `Invalid type for ${what}: expected ${expected}, but got ${kindOf(value)} instead.`
  return new Refused("invalid_type", message, path === "" ? null : path)
}

const quotedList = (values: ReadonlyArray<string>): string => {
  const quoted = values.map((value) => `'${value}'`)
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)!}`
}

export const text: Check<string> = (value, path) =>
  typeof value === "string" ? value : wrongType(value, path, "a string")

export const flag: Check<boolean> = (value, path) =>
  typeof value === "boolean" ? value : wrongType(value, path, "a boolean")

const inRange = (
  kind: "integer" | "decimal",
  value: number,
  path: string,
  min: number,
  max: number
): number | Refused => {
  const wrong = value < min ? (["below", "minimum", ">=", min] as const) : (["above", "maximum", "<=", max] as const)
  if (value >= min && value <= max) return value
  const [side, word, sign, limit] = wrong
  return new Refused(
    `${kind}_${side}_${word === "minimum" ? "min" : "max"}_value`,
    `Invalid '${path}': ${kind} ${side} ${word} value. Expected a value ${sign} ${limit}, but got ${value} instead.`,
    path
  )
}

export const integer =
  (min: number, max = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value, path) =>
    Number.isInteger(value) ? inRange("integer", value as number, path, min, max) : wrongType(value, path, "an integer")

export const decimal =
  (min: number, max: number): Check<number> =>
  (value, path) =>
    typeof value === "number" ? inRange("decimal", value, path, min, max) : wrongType(value, path, "a decimal")

export const literals =
  <const A extends string>(...values: ReadonlyArray<A>): Check<A> =>
  (value, path) =>
    typeof value !== "string"
      ? wrongType(value, path, `one of ${quotedList(values)}`)
      : (values as ReadonlyArray<string>).includes(value)
        ? (value as A)
        : new Refused("invalid_value", `Invalid value: '${value}'. Supported values are: ${quotedList(values)}.`, path)

export const nullable =
  <A>(check: Check<A>): Check<A | null> =>
  (value, path) =>
    value === null ? null : check(value, path)

/** `first` when the value is of the type that `isFirst` knows, else `second`. */
export const either =
  <A, B>(isFirst: (value: unknown) => boolean, first: Check<A>, second: Check<B>): Check<A | B> =>
  (value, path) =>
    isFirst(value) ? first(value, path) : second(value, path)

export const isText = (value: unknown): value is string => typeof value === "string"

export const list =
  <A>(check: Check<A>): Check<ReadonlyArray<A>> =>
  (value, path) => {
    if (!Array.isArray(value)) return wrongType(value, path, "an array")
    const out: Array<A> = []
    for (const [index, element] of value.entries()) {
      const checked = check(element, `${path}[${index}]`)
      if (checked instanceof Refused) return checked
      out.push(checked)
    }
    return out
  }

export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Any object of JSON. */
export const record: Check<{ readonly [key: string]: unknown }> = (value, path) =>
  isRecord(value) ? value : wrongType(value, path, "an object")

type Fields = { readonly [key: string]: Check<unknown> }
type Required<F extends Fields> = { readonly [K in keyof F]: Checked<F[K]> }
type Optional<F extends Fields> = { readonly [K in keyof F]?: Checked<F[K]> }

/** An object with just these fields. */
export const fields =
  <const R extends Fields, const O extends Fields>(required: R, optional: O): Check<Required<R> & Optional<O>> =>
  (value, path) => {
    if (!isRecord(value)) return wrongType(value, path, "an object")
    const at = (key: string) => (path === "" ? key : `${path}.${key}`)
    for (const key of Object.keys(required)) {
      if (value[key] === undefined) {
        return new Refused("missing_required_parameter", `Missing required parameter: '${at(key)}'.`, at(key))
      }
    }
    const out: { [key: string]: unknown } = {}
    for (const [key, field] of Object.entries(value)) {
      const check = Object.hasOwn(required, key)
        ? required[key]
        : Object.hasOwn(optional, key)
          ? optional[key]
          : undefined
      if (check === undefined) return new Refused("unknown_parameter", `Unknown parameter: '${at(key)}'.`, at(key))
      const checked = check(field, at(key))
      if (checked instanceof Refused) return checked
      out[key] = checked
    }
    return out as Required<R> & Optional<O>
  }

/** An object whose text field `tag` says which of the checks holds for it. */
export const tagged =
  <const C extends { readonly [tag: string]: Check<unknown> }>(tag: string, cases: C): Check<Checked<C[keyof C]>> =>
  (value, path) => {
    if (!isRecord(value)) return wrongType(value, path, "an object")
    const at = path === "" ? tag : `${path}.${tag}`
    if (value[tag] === undefined) {
      return new Refused("missing_required_parameter", `Missing required parameter: '${at}'.`, at)
    }
    const name = literals(...Object.keys(cases))(value[tag], at)
    return name instanceof Refused ? name : (cases[name]!(value, path) as Checked<C[keyof C]> | Refused)
  }
