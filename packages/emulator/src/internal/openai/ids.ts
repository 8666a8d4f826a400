/**
 * Names of things, as the provider makes them: a prefix and 21 letters and digits. The same seed gives the same names.
 */

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const mix = (value: number): number => {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

/** The `n`-th name of a session. The count is part of the name, so two of one session never meet. */
export const makeId = (prefix: string, seed: number, n: number): string => {
  let state = mix(seed ^ mix(n))
  let name = ""
  for (let i = 0; i < 16; i++) {
    state = mix(state + 0x9e3779b9)
    name += alphabet[state % alphabet.length]!
  }
  let count = n
  for (let i = 0; i < 5; i++) {
    // turned by the seed, so that it does not look like a count
    name += alphabet[(count + mix(seed + i)) % alphabet.length]!
    count = Math.floor(count / alphabet.length)
  }
  return `${prefix}_${name}`
}
