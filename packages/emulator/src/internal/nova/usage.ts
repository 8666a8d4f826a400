/**
 * Token usage of a stream: each event has the usage since the last one, and the total.
 */

export interface Kinds {
  readonly speechTokens: number
  readonly textTokens: number
}

export interface Tokens {
  readonly input: Kinds
  readonly output: Kinds
}

/** What was counted, and what of it was reported. */
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

/** 25 tokens for each second of audio, rounded only when they are reported. */
export const ofSound = (ms: number): Kinds => ({ ...none, speechTokens: ms / 40 })

export const count = (meter: Meter, way: "input" | "output", kinds: Kinds): Meter => ({
  ...meter,
  total: { ...meter.total, [way]: combine(meter.total[way], kinds, 1) }
})

const whole = ({ speechTokens, textTokens }: Kinds): Kinds => ({ speechTokens: Math.ceil(speechTokens), textTokens })

const sum = ({ speechTokens, textTokens }: Kinds): number => speechTokens + textTokens

/** The event about usage that was not reported yet; `undefined` when there is none. */
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
