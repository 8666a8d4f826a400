/**
 * Ids like those of the providers. The same seed gives the same ids.
 */

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const mix = (value: number): number => {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

/** 21 letters and digits. They contain the count, so the ids of a session are unique. */
const makeName = (seed: number, n: number): string => {
  let state = mix(seed ^ mix(n))
  let name = ""
  for (let i = 0; i < 16; i++) {
    state = mix(state + 0x9e3779b9)
    name += alphabet[state % alphabet.length]!
  }
  let count = n
  for (let i = 0; i < 5; i++) {
    // shifted by the seed, so that it does not look like a count
    name += alphabet[(count + mix(seed + i)) % alphabet.length]!
    count = Math.floor(count / alphabet.length)
  }
  return name
}

/** The `n`-th id of a session: a prefix and 21 letters and digits. */
export const makeId = (prefix: string, seed: number, n: number): string => `${prefix}_${makeName(seed, n)}`

/** The `n`-th id of a session in the form of a random UUID. */
export const makeUuid = (seed: number, n: number): string => {
  const hex = Buffer.from(makeName(seed, n)).toString("hex")
  // the end of the name contains the count
  const digits = hex.slice(-30)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(12, 15)}`,
    `a${digits.slice(15, 18)}`,
    digits.slice(18, 30)
  ].join("-")
}
