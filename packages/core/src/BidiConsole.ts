/**
 * A conversation in a terminal: what is typed goes in, what is said comes out.
 *
 * On a terminal there is a line to type in, with editing and history, and everything else appears above it as it
 * happens. Typing while the agent speaks interrupts it. When standard input is a pipe, each of its lines waits until
 * the agent has finished with the one before, and its end is the end of the input; when standard output is not a
 * terminal, it is plain text. Colours follow `NO_COLOR`. Control characters in what is said are shown as signs. When nobody
 * reads standard output any more, nothing more is written, and the conversation goes on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import { createInterface } from "node:readline"
import { type Output, TextInput } from "./BidiEvent.ts"
import * as BidiInput from "./BidiInput.ts"
import * as BidiOutput from "./BidiOutput.ts"
import { CurrentConversation } from "./CurrentConversation.ts"
import { harmless } from "./internal/console/harmless.ts"
import { screenOf, type Target } from "./internal/console/screen.ts"
import { PACE, show } from "./internal/console/show.ts"

/**
 * The streams of a console. Default: those of the process.
 *
 * @category models
 */
export interface Streams {
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout?: NodeJS.WritableStream & Target
}

/**
 * Lines typed by the user, as text. Empty lines are ignored. Ctrl+D ends the input; Ctrl+C interrupts the process as
 * anywhere else.
 *
 * @category constructors
 */
export const input = (
  options: Streams & {
    /** What stands before the line to type in. Default: `"> "`. */
    readonly prompt?: string
    /** What stands before the prompt, as it changes: a level meter, say. Only on a terminal. Default: nothing. */
    readonly status?: Stream.Stream<string>
  } = {}
): BidiInput.BidiInput<never, CurrentConversation> => {
  const { prompt = "> ", status = Stream.empty, stdin = process.stdin, stdout = process.stdout } = options
  const screen = screenOf(stdout)
  const terminal = stdin.isTTY === true && screen.interactive

  const lines = Effect.acquireRelease(
    Effect.sync(() => {
      const reader = createInterface({ input: stdin, ...(terminal ? { output: stdout } : {}), terminal, prompt })
      // a terminal in raw mode leaves Ctrl+C to us
      reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
      if (terminal) screen.attach(reader)
      return reader
    }),
    (reader) =>
      Effect.sync(() => {
        if (terminal) screen.detach()
        reader.close()
      })
  ).pipe(
    Effect.tap(() =>
      status.pipe(
        Stream.runForEach((text) => Effect.sync(() => screen.ask(`${text}${prompt}`))),
        Effect.forkScoped
      )
    ),
    Effect.map((reader) => Stream.fromAsyncIterable(reader, (error) => error)),
    Stream.unwrap,
    Stream.orDie
  )

  // A pipe does not wait for anybody: its lines are held back until the agent has finished, and shown as they are sent.
  const said = (line: string) =>
    Effect.gen(function* () {
      const conversation = yield* CurrentConversation
      yield* conversation.awaitIdle
      yield* Effect.yieldNow // what the agent said last is on its way to the screen
      screen.catchUp()
      screen.line(`${prompt}${harmless(line)}`)
    })

  const typed = terminal
    ? Stream.tap(lines, () => Effect.sync(() => screen.entered()))
    : lines.pipe(
        Stream.rechunk(1),
        Stream.filter((line) => line.trim() !== ""),
        Stream.tap(said)
      )

  return BidiInput.make(
    "console",
    typed.pipe(
      Stream.filter((line) => line.trim() !== ""),
      Stream.map((line) => TextInput.make({ text: line.trim() }))
    )
  )
}

/**
 * Shows what both sides say as they say it (the agent's words as they are heard, where there is a speaker), tool calls with arguments and results, interruptions, reconnections,
 * errors, and why the conversation ended.
 *
 * @category constructors
 */
export const output = (
  options: Pick<Streams, "stdout"> & {
    /** What the agent is called. Default: `"agent"`. */
    readonly agent?: string
    /** What the user is called when heard speaking. Default: `"you"`. */
    readonly user?: string
  } = {}
) => {
  const { agent = "agent", stdout = process.stdout, user = "you" } = options
  const screen = screenOf(stdout)
  return BidiOutput.makeScoped("console", {
    open: Effect.gen(function* () {
      const conversation = yield* CurrentConversation
      const shown = show(screen, { agent, user }, (responseId) => Effect.runSync(conversation.heard(responseId)))
      const behind = yield* Latch.make()
      yield* Effect.acquireRelease(
        Effect.sync(() => screen.pace(shown.catchUp)),
        (forget) => Effect.sync(forget)
      )
      // at rest while there is nothing to wait for
      const keepUp = Effect.gen(function* () {
        yield* behind.await
        yield* Effect.sleep(PACE)
        shown.catchUp()
        if (!shown.isBehind()) behind.closeUnsafe()
      })
      yield* Effect.forkScoped(Effect.forever(keepUp, { disableYield: true }))
      return (event: Output) =>
        Effect.sync(() => {
          shown.event(event)
          if (shown.isBehind()) behind.openUnsafe()
        })
    })
  })
}
