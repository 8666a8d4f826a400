const MAX_LENGTH = 64

const isValid = (name: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)

/** Names that models take (letters, digits, `_` and `-`, at most 64), each different. Valid ones stay as they are. */
export const namesFor = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  const kept = names.map((name) => {
    if (!isValid(name) || taken.has(name)) return undefined
    taken.add(name)
    return name
  })
  return names.map((name, i) => {
    if (kept[i] !== undefined) return kept[i]
    const stem = name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, MAX_LENGTH) || "tool"
    let free = stem
    for (let n = 2; taken.has(free); n++) free = `${stem.slice(0, MAX_LENGTH - `_${n}`.length)}_${n}`
    taken.add(free)
    return free
  })
}
