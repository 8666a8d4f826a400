/**
 * How one talks with the first example, chosen on its command line: by typing, or with `--voice` by microphone and
 * speakers, with captions; with `--voice --text` by both.
 */
import { AudioIO } from "@effect-bidi/audio"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import { Console, Context, Effect, Layer } from "effect"

const typed = { inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] }

/** Microphone and speakers where there are any, else words on what is missing, and typing. */
const spoken = Effect.gen(function* () {
  const devices = yield* AudioIO.devices()
  if (!devices.some(({ direction }) => direction === "input")) {
    yield* Console.error("There is no microphone, so please type. `npx -y pnpm@12 soundcheck` says more.\n")
    return typed
  }
  const audio = Context.get(yield* Layer.build(AudioIO.layer()), AudioIO.AudioIO)
  const typing = process.argv.includes("--text") ? [BidiConsole.input({ status: audio.indicator })] : []
  return { inputs: [audio.input, ...typing], outputs: [audio.output, BidiConsole.output()] }
}).pipe(
  Effect.catchTag("AudioError", ({ message }) =>
    Effect.as(Console.error(`${message}\nSo please type. \`npx -y pnpm@12 soundcheck\` says more.\n`), typed)
  )
)

export const channels = Effect.suspend(() => (process.argv.includes("--voice") ? spoken : Effect.succeed(typed)))
