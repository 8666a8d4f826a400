/**
 * A terminal that several write to: whole lines, lines that grow word by word, and below them the line that the user is
 * typing. A file or a pipe in its place gets plain text, line after line.
 */
export interface Target {
  readonly columns?: number
  readonly write: (text: string) => unknown
}

/** The line that the user is typing. */
export interface Prompt {
  readonly setPrompt: (text: string) => void
  /** Writes the line again. */
  readonly prompt: (preserveCursor?: boolean) => void
  /** Where the cursor is, from the beginning of the line. */
  readonly getCursorPos: () => { readonly rows: number }
}

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan"

const COLOR_CODES: Record<Paint, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

const DEFAULT_COLUMNS = 80

interface GrowingLine {
  readonly key: string
  column: number
}

export class Screen {
  readonly interactive: boolean
  private readonly colors: boolean
  private readonly target: Target
  private closed = false
  private growing: GrowingLine | undefined
  private prompt: Prompt | undefined
  private readonly captions = new Set<() => void>()

  constructor(target: Target, { colors, interactive }: { readonly interactive: boolean; readonly colors: boolean }) {
    this.target = target
    this.interactive = interactive
    this.colors = colors
  }

  /** Nobody reads it any more: nothing more is written. */
  close(): void {
    this.closed = true
  }

  paint(paint: Paint, text: string): string {
    return this.colors ? `\x1b[${COLOR_CODES[paint]}m${text}\x1b[0m` : text
  }

  /** From now on the lowest line is the user's. */
  attach(prompt: Prompt): void {
    this.prompt = prompt
    this.finish()
    if (this.interactive) prompt.prompt()
  }

  detach(): void {
    if (this.prompt !== undefined && this.interactive) {
      this.hide(this.prompt)
      this.growing = undefined // it has ended in a line feed
    }
    this.prompt = undefined
  }

  /** Changes the text before what is being typed. */
  setPrompt(text: string): void {
    const prompt = this.prompt
    if (prompt !== undefined && this.interactive) this.above(() => prompt.setPrompt(text))
  }

  /** The user pressed enter: what was typed stays where it is, and a new line begins. */
  entered(): void {
    this.growing = undefined
    if (this.interactive) this.prompt?.prompt()
  }

  /** Adds captions, which show words as they are heard and may be behind. Returns how to remove them. */
  addCaptions(catchUp: () => void): () => void {
    this.captions.add(catchUp)
    return () => void this.captions.delete(catchUp)
  }

  /** Shows all words that were heard by now. */
  catchUp(): void {
    for (const catchUp of this.captions) catchUp()
  }

  /** Writes a whole line. */
  line(text: string): void {
    this.above(() => {
      if (this.growing !== undefined && !this.hasPrompt) this.write("\n")
      this.growing = undefined
      this.write(`${text}\n`)
    })
  }

  /** Adds to the line with this key, which begins with `lead`. */
  stream(key: string, lead: string, text: string): void {
    this.above(() => {
      if (this.growing?.key === key) {
        if (this.hasPrompt && this.growing.column > 0) this.write(`${up(1)}${toColumn(this.growing.column)}`)
      } else {
        if (this.growing !== undefined && !this.hasPrompt) this.write("\n")
        this.growing = { key, column: width(lead) }
        this.write(lead)
        text = text.trimStart()
      }
      this.words(this.growing, text)
      if (this.hasPrompt && this.growing.column > 0) this.write("\n")
    })
  }

  /** Ends the growing line, if it has this key, or any. */
  finish(key?: string): void {
    if (this.growing === undefined || (key !== undefined && this.growing.key !== key)) return
    if (!this.hasPrompt) this.write("\n")
    this.growing = undefined
  }

  // A growing line above a prompt always ends in a line feed, which is taken back to continue it.
  private get hasPrompt(): boolean {
    return this.interactive && this.prompt !== undefined
  }

  private words(line: GrowingLine, text: string): void {
    const columns = this.interactive ? (this.target.columns ?? DEFAULT_COLUMNS) : Infinity
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
    if (!this.closed) this.target.write(text)
  }

  private above(write: () => void): void {
    if (this.closed) return
    if (this.prompt === undefined || !this.interactive) return write()
    this.hide(this.prompt)
    write()
    this.prompt.prompt(true)
  }

  private hide(prompt: Prompt): void {
    this.write(`${up(prompt.getCursorPos().rows)}${toColumn(0)}${CLEAR_DOWN}`)
  }
}

const up = (rows: number): string => (rows === 0 ? "" : `\x1b[${rows}A`)
const toColumn = (column: number): string => `\x1b[${column + 1}G`
const CLEAR_DOWN = "\x1b[0J"

const COLOR = /\p{Cc}\[\d+m/gu
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uFF01-\uFF60]/u
const NONE = /[\p{Mark}\p{Control}\p{Default_Ignorable_Code_Point}]/u

/** How many columns a text takes, without its colours. */
const width = (text: string): number => {
  let columns = 0
  for (const character of text.replace(COLOR, "")) columns += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return columns
}
