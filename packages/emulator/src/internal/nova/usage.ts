/**
 * Tokens of a stream: every event tells what came since the last one, and the sum of all.
 */

export interface Kinds {
  readonly speechTokens: number
  readonly textTokens: number
}

export interface Tokens {
  readonly input: Kinds
  readonly output: Kinds
}

/** What was counted, and what of it was told. */
export interface Meter {
  readonly total: Tokens
  readonly told: Tokens
}

const none: Kinds = { speechTokens: 0, textTokens: 0 }

export const zero: Meter = { total: { input: none, output: none }, told: { input: none, output: none } }

const combine = (a: Kinds, b: Kinds, sign: 1 | -1): Kinds => ({
  speechTokens: a.speechTokens + sign * b.speechTokens,
  textTokens: a.textTokens + sign * b.textTokens
})

/** About four characters a token. */
export const ofText = (text: string): Kinds => ({ ...none, textTokens: Math.ceil(text.length / 4) })

/** 25 tokens for each second of sound; only what is told is whole. */
export const ofSound = (ms: number): Kinds => ({ ...none, speechTokens: ms / 40 })

export const count = (meter: Meter, way: "input" | "output", kinds: Kinds): Meter => ({
  ...meter,
  total: { ...meter.total, [way]: combine(meter.total[way], kinds, 1) }
})

const whole = ({ speechTokens, textTokens }: Kinds): Kinds => ({ speechTokens: Math.ceil(speechTokens), textTokens })

const sum = ({ speechTokens, textTokens }: Kinds): number => speechTokens + textTokens

/** The event about everything that was not told yet; `undefined` when there is nothing. */
export const tell = (meter: Meter): readonly [Meter, Readonly<Record<string, unknown>>] | undefined => {
  const { told } = meter
  const total = { input: whole(meter.total.input), output: whole(meter.total.output) }
  const delta = { input: combine(total.input, told.input, -1), output: combine(total.output, told.output, -1) }
  if (sum(delta.input) + sum(delta.output) === 0) return undefined
  const event = {
    totalInputTokens: sum(total.input),
    totalOutputTokens: sum(total.output),
    totalTokens: sum(total.input) + sum(total.output),
    details: { delta, total }
  }
  return [{ ...meter, told: total }, event]
}
