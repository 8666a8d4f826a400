/**
 * Checks of client messages. Their errors are the provider's own, because clients match on them; Schema's errors would
 *
 * differ.
 */

export interface Problem {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

/** A failed check. It is a class, so that no checked value looks like one. */
export class Refused {
  readonly problem: Problem
  constructor(code: string, message: string, param: string | null) {
    this.problem = { code, message, param }
  }
}

/** The value with its type, or what is wrong with it; `path` is its place in the event. */
export type Check<A> = (value: unknown, path: string) => A | Refused

export type Checked<C> = C extends Check<infer A> ? A : never

type Fields = { readonly [key: string]: Check<unknown> }
type Required<F extends Fields> = { readonly [K in keyof F]: Checked<F[K]> }
type Optional<F extends Fields> = { readonly [K in keyof F]?: Checked<F[K]> }

/** The provider's errors, and how it reads field names. */
export interface Words {
  readonly wrongType: (value: unknown, path: string, expected: string) => Refused
  readonly outOfRange: (kind: "integer" | "decimal", value: number, path: string, min: number, max: number) => Refused
  readonly notOneOf: (value: string, path: string, values: ReadonlyArray<string>) => Refused
  readonly unknown: (path: string, key: string) => Refused
  readonly missing: (path: string, key: string) => Refused
  /** The canonical name of a field. */
  readonly nameOf: (given: string) => string
  /** Whether a field with this value counts as missing. */
  readonly isUnset: (value: unknown) => boolean
}

/** The path of a field. */
export const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

export const isText = (value: unknown): value is string => typeof value === "string"

export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The checks of one provider. */
export const makeChecks = (words: Words) => {
  const { wrongType } = words

  const text: Check<string> = (value, path) => (isText(value) ? value : wrongType(value, path, "a string"))

  const flag: Check<boolean> = (value, path) =>
    typeof value === "boolean" ? value : wrongType(value, path, "a boolean")

  const within = (kind: "integer" | "decimal", value: number, path: string, min: number, max: number) =>
    value >= min && value <= max ? value : words.outOfRange(kind, value, path, min, max)

  const integer =
    (min: number, max = Number.MAX_SAFE_INTEGER): Check<number> =>
    (value, path) =>
      typeof value === "number" && Number.isInteger(value)
        ? within("integer", value, path, min, max)
        : wrongType(value, path, "an integer")

  const decimal =
    (min: number, max: number): Check<number> =>
    (value, path) =>
      typeof value === "number" ? within("decimal", value, path, min, max) : wrongType(value, path, "a decimal")

  const literals =
    <const A extends string>(...values: ReadonlyArray<A>): Check<A> =>
    (value, path) => {
      if (!isText(value)) return wrongType(value, path, `one of ${quotedList(values)}`)
      return (values as ReadonlyArray<string>).includes(value) ? (value as A) : words.notOneOf(value, path, values)
    }

  const nullable =
    <A>(check: Check<A>): Check<A | null> =>
    (value, path) =>
      value === null ? null : check(value, path)

  /** `first` when `isFirst` holds, otherwise `second`. */
  const either =
    <A, B>(isFirst: (value: unknown) => boolean, first: Check<A>, second: Check<B>): Check<A | B> =>
    (value, path) =>
      isFirst(value) ? first(value, path) : second(value, path)

  const list =
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

  /** Any JSON object. */
  const record: Check<{ readonly [key: string]: unknown }> = (value, path) =>
    isRecord(value) ? value : wrongType(value, path, "an object")

  /** An object with exactly these fields. */
  const fields =
    <const R extends Fields, const O extends Fields>(required: R, optional: O): Check<Required<R> & Optional<O>> =>
    (value, path) => {
      if (!isRecord(value)) return wrongType(value, path, "an object")
      const given = Object.entries(value)
        .filter(([, field]) => !words.isUnset(field))
        .map(([key, field]) => [words.nameOf(key), key, field] as const)
      for (const key of Object.keys(required)) {
        if (!given.some(([name, , field]) => name === key && field !== undefined)) return words.missing(path, key)
      }
      const out: { [key: string]: unknown } = {}
      for (const [name, key, field] of given) {
        const check = Object.hasOwn(required, name)
          ? required[name]
          : Object.hasOwn(optional, name)
            ? optional[name]
            : undefined
        if (check === undefined) return words.unknown(path, key)
        const checked = check(field, join(path, name))
        if (checked instanceof Refused) return checked
        out[name] = checked
      }
      return out as Required<R> & Optional<O>
    }

  /** An object whose field `tag` selects the check. */
  const tagged =
    <const C extends { readonly [tag: string]: Check<unknown> }>(tag: string, cases: C): Check<Checked<C[keyof C]>> =>
    (value, path) => {
      if (!isRecord(value)) return wrongType(value, path, "an object")
      if (value[tag] === undefined) return words.missing(path, tag)
      const name = literals(...Object.keys(cases))(value[tag], join(path, tag))
      return name instanceof Refused ? name : (cases[name]!(value, path) as Checked<C[keyof C]> | Refused)
    }

  return { text, flag, integer, decimal, literals, nullable, either, list, record, fields, tagged }
}

/** 'a', 'b', and 'c'. */
export const quotedList = (values: ReadonlyArray<string>): string => {
  const quoted = values.map((value) => `'${value}'`)
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)!}`
}

/** "a string", "an integer": the type of a JSON value. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "number") return Number.isInteger(value) ? "an integer" : "a decimal number"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
