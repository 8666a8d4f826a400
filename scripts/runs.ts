/**
 * How many cases a law is tried with: as many as are quick enough for every run on a developer's machine, or `LAWS`, which
 * CI sets.
 */
export const runs = (quick: number): number => Number(process.env.LAWS ?? quick)
