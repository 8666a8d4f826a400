/**
 * How a law is tried: with as many cases as are quick, the same every time; or with as many as `LAWS` says, others every
 * time, and one that fails is printed with what replays it. `LAWS=20000,7` names the seed as well; CI does, so that it is
 * red for what has changed only. To look for more, leave the seed out.
 */
export const cases = (quick: number): { readonly runs: number; readonly seed?: number } => {
  const given = process.env.LAWS
  if (given === undefined) return { runs: quick, seed: 1 }
  const [runs, seed] = given.split(",").map(Number)
  return { runs: runs!, ...(seed === undefined ? {} : { seed }) }
}
