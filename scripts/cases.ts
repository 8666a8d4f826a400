import type * as Arbitrary from "effect/Arbitrary"

interface Check extends Arbitrary.CheckOptions {
  readonly runs: number
}

/**
 * How a law is tried: with as many cases as are quick, the same every time; or with as many as `LAWS` says, others every
 * time. `LAWS=20000,7` names the seed as well; CI does, so that it is red for what has changed only. To look for more,
 * leave the seed out. A law that fails prints the token of its case; `LAWS='[0,"7",…]'` tries that case alone.
 */
export const cases = (quick: number, size?: number): { readonly arbitrary: Check; readonly timeout: number } => {
  const check: Check = { ...asked(quick), ...(size === undefined ? {} : { size }) }
  // for so many, on a machine that does something else as well, and for making a failure small
  return { arbitrary: check, timeout: 120_000 + 300 * check.runs }
}

const asked = (quick: number): Check => {
  const given = process.env.LAWS
  if (given === undefined) return { runs: quick, seed: 1 }
  if (given.startsWith("[")) return { runs: 1, replay: given }
  const [runs, seed] = given.split(",").map(Number)
  return { runs: runs!, ...(seed === undefined ? {} : { seed }) }
}
