/**
 * What the agent means to say, sentence by sentence, and what has become of it.
 *
 * The provider announces a sentence (SPECULATIVE), sends its sound faster than it is played, and confirms it (FINAL) once
 * it thinks that it was heard, cut where the user cut it. What was sent is played and counts as spoken, so that it can be
 * cut by time at any moment; a confirmation in other words has the last word.
 */

interface Sentence {
  text: string
  /** What is not confirmed of it, with single spaces. */
  rest: string
  /** It counts as spoken. */
  begun: boolean
  /** What was said instead. */
  instead: string | undefined
}

export class PlannedSpeech {
  private readonly sentences: Array<Sentence> = []

  add(text: string): void {
    this.sentences.push({ text, rest: normal(text), begun: false, instead: undefined })
  }

  /** More of the last sentence. */
  extend(text: string): void {
    const last = this.sentences.at(-1)
    if (last === undefined) return this.add(text)
    last.text += text
    last.rest = normal(last.text)
  }

  /** There is sound of everything announced so far. Returns the sentences that this makes spoken. */
  begin(): ReadonlyArray<string> {
    const silent = this.sentences.filter((sentence) => !sentence.begun)
    for (const sentence of silent) sentence.begun = true
    return silent.map((sentence) => sentence.text)
  }

  /** Whether a sentence waits for its sound. */
  get waits(): boolean {
    return this.sentences.some((sentence) => !sentence.begun)
  }

  /** Everything announced is confirmed. */
  get covered(): boolean {
    return this.pending === undefined
  }

  /** Whether this text is how what comes next was announced, or its beginning, or more. */
  expects(text: string): boolean {
    const next = this.pending
    return next !== undefined && (next.rest.startsWith(normal(text)) || normal(text).startsWith(next.rest))
  }

  /**
   * Text was spoken: less than a sentence, or several, or other words than announced, which stand for one sentence. Returns
   * what of it did not count as spoken yet.
   */
  confirm(text: string, isMore: boolean): ReadonlyArray<string> {
    const fresh: Array<string> = []
    let spoken = text
    while (normal(spoken) !== "") {
      const next = this.pending
      if (next === undefined) return [...fresh, this.unannounced(spoken, isMore)]
      const said = normal(spoken)
      const isBeginning = next.rest.startsWith(said)
      if (!isBeginning && !said.startsWith(next.rest)) next.instead = spoken
      if (!next.begun) fresh.push(next.instead ?? next.text)
      next.begun = true
      const length = next.rest.length
      next.rest = isBeginning ? next.rest.slice(said.length).trimStart() : ""
      if (isBeginning || next.instead !== undefined) break
      spoken = said.slice(length).trimStart()
    }
    return fresh
  }

  /** All that was spoken. `isAll`: every confirmation has come, what is missing of a sentence was not said. */
  text(isAll: boolean): string {
    return this.sentences.reduce((text, sentence) => text + join(text, spokenOf(sentence, isAll)), "")
  }

  /** What was spoken but for the last sentence, unless that is confirmed: its sound has not ended. */
  get ended(): string {
    const begun = this.sentences.filter((sentence) => sentence.begun)
    if (begun.at(-1)?.rest !== "") begun.pop()
    return begun.reduce((text, sentence) => text + join(text, spokenOf(sentence, false)), "")
  }

  /** What was spoken and not confirmed. */
  get unconfirmed(): ReadonlyArray<string> {
    return this.sentences.filter(({ begun, rest }) => begun && rest !== "").map(({ rest }) => rest)
  }

  private get pending(): Sentence | undefined {
    return this.sentences.find(({ rest }) => rest !== "")
  }

  private unannounced(text: string, isMore: boolean): string {
    const last = this.sentences.at(-1)
    if (isMore && last !== undefined) last.text += text
    else this.sentences.push({ text, rest: "", begun: true, instead: undefined })
    return text
  }
}

const spokenOf = ({ begun, instead, rest, text }: Sentence, isAll: boolean): string => {
  if (instead !== undefined) return instead
  if (!begun) return ""
  const whole = normal(text)
  const isPart = rest !== "" && rest !== whole
  return isAll && isPart ? whole.slice(0, -rest.length).trimEnd() : text
}

export const normal = (text: string): string => text.trim().replace(/\s+/g, " ")

/** Puts text behind text; blocks come without the space between them. */
export const join = (before: string, text: string): string =>
  before === "" || text === "" || /\s$/.test(before) || /^\s/.test(text) ? text : ` ${text}`
