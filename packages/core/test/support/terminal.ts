import xterm from "@xterm/headless"
import * as Effect from "effect/Effect"
import { PassThrough, Writable } from "node:stream"

/** A keyboard and a screen: what a person would type and see. */
export const terminal = (columns = 40) => {
  const screen = new xterm.Terminal({ cols: columns, rows: 24, allowProposedApi: true })
  let raw = ""
  const stdout = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        raw += String(chunk)
        // a terminal driver turns line feeds into new lines
        screen.write(String(chunk).replace(/\r?\n/g, "\r\n"))
        done()
      }
    }),
    { isTTY: true, columns, rows: 24, hasColors: () => true }
  )
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  return {
    stdin,
    stdout,
    type: (text: string) => void stdin.write(text),
    raw: () => raw,
    /** The lines on the screen, without empty ones at the end. */
    lines: Effect.callback<ReadonlyArray<string>>((resume) =>
      screen.write("", () => {
        const { active } = screen.buffer
        const lines = Array.from({ length: active.length }, (_, y) =>
          active.getLine(y)!.translateToString(true).trimEnd()
        )
        resume(Effect.succeed(lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)))
      })
    )
  }
}

/** A pipe: what a program would read and write. */
export const pipe = () => {
  let text = ""
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    }
  })
  return { stdin: new PassThrough(), stdout, text: () => text }
}
