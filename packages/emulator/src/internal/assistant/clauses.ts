/**
 * A turn split into its requests: "what time is it and calculate 2 times 3" has two.
 */

/** Clauses in order. A clause that `stands` does not accept is joined to the one before it. */
export const clausesOf = (text: string, stands: (clause: string) => boolean): ReadonlyArray<string> => {
  const whole = text.trim()
  if (whole.startsWith("(speech, ")) return [whole]
  // a point between digits does not end a clause
  const parts = whole.split(/(?<=[!?;])\s*|(?<=\.)(?!\d)\s+|(,?\s+(?:and then|and also|and|then|also)\s+)/i)
  const clauses: Array<string> = []
  let gap = ""
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (part === undefined || part === "") continue
    if (/^,?\s+(?:and then|and also|and|then|also)\s+$/i.test(part)) {
      gap = part
      continue
    }
    const before = clauses.at(-1)
    if (before === undefined) clauses.push(part)
    else if (stands(part) && stands(before)) clauses.push(part)
    else clauses[clauses.length - 1] = `${before}${gap === "" ? " " : gap}${part}`
    gap = ""
  }
  return clauses
}
