/**
 * How a law is tried. On a developer's machine: with as many cases as are quick, the same every time. With `LAWS`, which CI
 * sets: with that many, others every time, and one that fails is printed with what replays it. `LAWS=20000,7` names the
 * seed as well.
 */
export const cases = (quick: number): { readonly runs: number; readonly seed?: number } => {
  const given = process.env.LAWS
  if (given === undefined) return { runs: quick, seed: 1 }
  const [runs, seed] = given.split(",").map(Number)
  return { runs: runs!, ...(seed === undefined ? {} : { seed }) }
}
