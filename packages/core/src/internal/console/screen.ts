/**
 * A terminal, or a file or pipe in its place, that several write to: whole lines, lines that grow word by word, and
 * below them the line the user is typing. Without a terminal it is plain text, line after line.
 */
import type { Interface } from "node:readline"
import { clearScreenDown, cursorTo, moveCursor } from "node:readline"
import { stripVTControlCharacters } from "node:util"

export interface Target {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
  readonly hasColors?: () => boolean
  readonly on?: (event: "error", listener: (error: NodeJS.ErrnoException) => void) => unknown
}

// Whoever read it has gone: `head` has its lines, the terminal was closed.
const GONE = new Set(["EPIPE", "EIO", "ECONNRESET", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"])

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan"

const codes: Record<Paint, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

interface OpenLine {
  readonly key: string
  column: number
}

export class Screen {
  readonly interactive: boolean
  private readonly colors: boolean
  private readonly target: Target
  private gone = false
  private open: OpenLine | undefined
  private prompt: Interface | undefined
  private readonly behind = new Set<() => void>()

  constructor(target: Target) {
    // for good: a write may be refused after everybody has stopped writing
    target.on?.("error", (error) => {
      if (!GONE.has(error.code ?? "")) throw error
      this.gone = true
    })
    this.target = target
    this.interactive = target.isTTY === true && process.env.TERM !== "dumb"
    // a Node terminal answers by NO_COLOR, FORCE_COLOR and TERM
    this.colors = this.interactive && (target.hasColors?.() ?? process.env.NO_COLOR === undefined)
  }

  paint(paint: Paint, text: string): string {
    return this.colors ? `\x1b[${codes[paint]}m${text}\x1b[0m` : text
  }

  /** From now on the lowest line belongs to the user. */
  attach(prompt: Interface): void {
    this.prompt = prompt
    this.finish()
    if (this.interactive) prompt.prompt()
  }

  detach(): void {
    if (this.prompt !== undefined && this.interactive) {
      this.hide(this.prompt)
      this.open = undefined // it has ended in a line feed
    }
    this.prompt = undefined
  }

  /** Puts other words before what is being typed. */
  ask(words: string): void {
    const prompt = this.prompt
    if (prompt !== undefined && this.interactive) this.above(() => prompt.setPrompt(words))
  }

  /** The user pressed enter: what was typed stays where it is, and a new line is offered. */
  entered(): void {
    this.open = undefined
    if (this.interactive) this.prompt?.prompt()
  }

  /** Something that shows words as they are heard, and may be behind. Answers how to forget it. */
  pace(catchUp: () => void): () => void {
    this.behind.add(catchUp)
    return () => void this.behind.delete(catchUp)
  }

  /** Has everything shown that was heard by now. */
  catchUp(): void {
    for (const catchUp of this.behind) catchUp()
  }

  /** Writes a whole line. */
  line(text: string): void {
    this.above(() => {
      if (this.open !== undefined && !this.belowPrompt) this.write("\n")
      this.open = undefined
      this.write(`${text}\n`)
    })
  }

  /** Adds to the line with this key, which begins with `lead`. */
  stream(key: string, lead: string, text: string): void {
    this.above(() => {
      if (this.open?.key === key) {
        if (this.belowPrompt && this.open.column > 0) {
          moveCursor(this.stream_, 0, -1)
          cursorTo(this.stream_, this.open.column)
        }
      } else {
        if (this.open !== undefined && !this.belowPrompt) this.write("\n")
        this.open = { key, column: width(lead) }
        this.write(lead)
        text = text.trimStart()
      }
      this.words(this.open, text)
      if (this.belowPrompt && this.open.column > 0) this.write("\n")
    })
  }

  /** Ends the line that is growing, if it has this key, or any. */
  finish(key?: string): void {
    if (this.open === undefined || (key !== undefined && this.open.key !== key)) return
    if (!this.belowPrompt) this.write("\n")
    this.open = undefined
  }

  // With a prompt below it, a growing line always ends in a line feed, which is taken back to go on.
  private get belowPrompt(): boolean {
    return this.interactive && this.prompt !== undefined
  }

  private get stream_(): NodeJS.WritableStream {
    return this.target as NodeJS.WritableStream
  }

  private words(line: OpenLine, text: string): void {
    const columns = this.interactive ? (this.target.columns ?? 80) : Infinity
    for (const word of text.match(/\n|[^\S\n]*[^\s]+|[^\S\n]+/g) ?? []) {
      if (word === "\n") {
        this.write("\n")
        line.column = 0
        continue
      }
      if (line.column + width(word) > columns && line.column > 0) {
        this.write("\n")
        line.column = 0
      }
      // a row does not begin with the space between two words
      const fitting = line.column === 0 ? word.trimStart() : word
      this.write(fitting)
      line.column += width(fitting)
      // the terminal is already on its way to the next row
      if (line.column >= columns) {
        if (line.column % columns === 0) this.write("\n")
        line.column %= columns
      }
    }
  }

  private write(text: string): void {
    if (!this.gone) this.target.write(text)
  }

  private above(write: () => void): void {
    if (this.gone) return
    if (this.prompt === undefined || !this.interactive) return write()
    this.hide(this.prompt)
    write()
    this.prompt.prompt(true)
  }

  private hide(prompt: Interface): void {
    moveCursor(this.stream_, 0, -prompt.getCursorPos().rows)
    cursorTo(this.stream_, 0)
    clearScreenDown(this.stream_)
  }
}

const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uFF01-\uFF60]/u
const NONE = /[\p{Mark}\p{Control}\p{Default_Ignorable_Code_Point}]/u

/** Columns a text takes, colours apart. */
export const width = (text: string): number => {
  let columns = 0
  for (const character of stripVTControlCharacters(text))
    columns += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return columns
}

const screens = new WeakMap<Target, Screen>()

/** The screen of a stream. A terminal is one thing, however many write to it. */
export const screenOf = (target: Target): Screen => {
  let screen = screens.get(target)
  if (screen === undefined) screens.set(target, (screen = new Screen(target)))
  return screen
}
