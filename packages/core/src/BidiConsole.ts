/**
 * A conversation in a terminal of Node: what is typed goes in, what is said comes out.
 *
 * On a terminal there is a line to type in, with editing and history, and everything else appears above it as it happens.
 * Typing while the agent speaks interrupts it. If standard input is a pipe, each of its lines waits until the conversation
 * is idle, and its end is the end of the input; if standard output is not a terminal, it gets plain text. Colours follow
 * `NO_COLOR`. Control characters in what is said are replaced by visible ones. When nobody reads standard output any more,
 * nothing more is written, and the conversation continues.
 *
 * It uses the line editor of `node:readline`, which `effect/Terminal` has no counterpart for, and so Node's streams.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import { createInterface } from "node:readline"
import { type Output, TextInput } from "./BidiEvent.ts"
import * as BidiInput from "./BidiInput.ts"
import * as BidiOutput from "./BidiOutput.ts"
import { CurrentConversation } from "./CurrentConversation.ts"
import * as Captions from "./internal/console/captions.ts"
import * as EventLines from "./internal/console/eventLines.ts"
import { harmless } from "./internal/console/harmless.ts"
import { Screen } from "./internal/console/screen.ts"

/**
 * The streams of a console. Default: those of the process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Streams {
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout?: NodeJS.WritableStream & {
    readonly isTTY?: boolean
    readonly columns?: number
    readonly hasColors?: () => boolean
  }
}

type Stdout = NonNullable<Streams["stdout"]>

// Codes of write errors after which nobody reads: `head` has its lines, the terminal was closed.
const CLOSED = new Set(["EPIPE", "EIO", "ECONNRESET", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"])

// Everybody who writes to a terminal has to know where its cursor is.
const Screens = Context.Reference<WeakMap<Stdout, Screen>>("@effect-bidi/core/BidiConsole/Screens", {
  defaultValue: () => new WeakMap()
})

const screenOf = (stdout: Stdout): Effect.Effect<Screen> =>
  Effect.map(Screens, (screens) => {
    let screen = screens.get(stdout)
    if (screen === undefined) screens.set(stdout, (screen = makeScreen(stdout)))
    return screen
  })

const makeScreen = (stdout: Stdout): Screen => {
  const interactive = stdout.isTTY === true && process.env.TERM !== "dumb"
  // a terminal of Node knows NO_COLOR, FORCE_COLOR and TERM
  const colors = interactive && (stdout.hasColors?.() ?? process.env.NO_COLOR === undefined)
  const screen = new Screen(stdout, { interactive, colors })
  // never removed: a write may fail after all conversations have ended
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!CLOSED.has(error.code ?? "")) throw error
    screen.close()
  })
  return screen
}

/**
 * Makes an input of the lines that the user types. Empty lines are ignored. Ctrl+D ends the input; Ctrl+C interrupts the
 * process as anywhere else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const input = (
  options: Streams & {
    /** The text before what is typed. Default: `"> "`. */
    readonly prompt?: string
    /** A changing text before the prompt, such as a level meter. Only on a terminal. Default: none. */
    readonly status?: Stream.Stream<string>
  } = {}
): BidiInput.BidiInput<never, CurrentConversation> => {
  const { prompt = "> ", status = Stream.empty, stdin = process.stdin, stdout = process.stdout } = options

  const typed = Effect.gen(function* () {
    const screen = yield* screenOf(stdout)
    const terminal = stdin.isTTY === true && screen.interactive
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const reader = createInterface({ input: stdin, ...(terminal ? { output: stdout } : {}), terminal, prompt })
        // a terminal in raw mode does not make a signal of Ctrl+C
        reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
        if (terminal) screen.attach(reader)
        return reader
      }),
      (reader) =>
        Effect.sync(() => {
          if (terminal) screen.detach()
          reader.close()
        })
    )
    yield* status.pipe(
      Stream.runForEach((text) => Effect.sync(() => screen.setPrompt(`${text}${prompt}`))),
      Effect.forkScoped
    )
    const lines = Stream.orDie(Stream.fromAsyncIterable(reader, (error) => error))
    return terminal ? Stream.tap(lines, () => Effect.sync(() => screen.entered())) : fromPipe(lines, screen, prompt)
  })

  return BidiInput.make(
    "console",
    Stream.unwrap(typed).pipe(
      Stream.filter((line) => line.trim() !== ""),
      Stream.map((line) => TextInput.make({ text: line.trim() }))
    )
  )
}

// A pipe has all its lines at once: each is held back until the conversation is idle, and shown when it is sent.
const fromPipe = (lines: Stream.Stream<string>, screen: Screen, prompt: string) =>
  lines.pipe(
    Stream.rechunk(1),
    Stream.filter((line) => line.trim() !== ""),
    Stream.tap((line) =>
      Effect.gen(function* () {
        const conversation = yield* CurrentConversation
        yield* conversation.awaitIdle
        yield* Effect.yieldNow // what the agent said last is on its way to the screen
        screen.catchUp()
        screen.line(`${prompt}${harmless(line)}`)
      })
    )
  )

/**
 * Makes an output that shows what both sides say (the agent's words as they are heard, if there is a speaker), tool calls
 * with arguments and results, interruptions, reconnections, errors, and why the conversation ended.
 *
 * @category constructors
 * @since 0.1.0
 */
export const output = (
  options: Pick<Streams, "stdout"> & {
    /** The name of the agent. Default: `"agent"`. */
    readonly agent?: string
    /** The name of the user, for speech that was transcribed. Default: `"you"`. */
    readonly user?: string
  } = {}
) => {
  const { agent = "agent", stdout = process.stdout, user = "you" } = options
  return BidiOutput.makeScoped("console", {
    open: Effect.gen(function* () {
      const conversation = yield* CurrentConversation
      const screen = yield* screenOf(stdout)
      const captions = Captions.make(screen, { agent, user }, (responseId) =>
        Effect.runSync(conversation.heard(responseId))
      )
      const show = EventLines.make(screen, captions)
      const behind = yield* Latch.make()
      yield* Effect.acquireRelease(
        Effect.sync(() => screen.addCaptions(captions.catchUp)),
        (remove) => Effect.sync(remove)
      )
      // no timer runs while no words are behind
      const keepUp = Effect.gen(function* () {
        yield* behind.await
        yield* Effect.sleep(Captions.REFRESH_MILLIS)
        captions.catchUp()
        if (!captions.isBehind()) behind.closeUnsafe()
      })
      yield* Effect.forkScoped(Effect.forever(keepUp, { disableYield: true }))
      return (event: Output) =>
        Effect.sync(() => {
          show(event)
          if (captions.isBehind()) behind.openUnsafe()
        })
    })
  })
}
