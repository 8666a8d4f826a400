/**
 * A call of a whole agent, with its events so far.
 */
import type * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"
import * as BidiAgent from "../../BidiAgent.ts"
import type { BidiError } from "../../BidiError.ts"
import type { Output } from "../../BidiEvent.ts"
import { allTags } from "../../internal/events/tags.ts"
import type { BidiOutput } from "../../BidiOutput.ts"
import type * as BidiTest from "../../BidiTest.ts"
import type { Lab } from "../../ConformanceLab.ts"
import { check } from "./check.ts"
import { speech } from "./speech.ts"
import * as EventLog from "./eventLog.ts"

export interface Call extends BidiAgent.Call<BidiError>, Pick<EventLog.EventLog<Output>, "all" | "until" | "waitFor"> {
  /** All events so far; `events` is the stream of the call itself. */
  readonly seen: EventLog.EventLog<Output>["events"]
  /** Waits until the agent has said it. */
  readonly untilSaid: (text: string) => Effect.Effect<void>
  /** The user speaks for a second, and is silent until the turn has certainly ended. */
  readonly speak: Effect.Effect<void, BidiError>
  /** Replies of the agent in the history, as they were heard. */
  readonly said: Effect.Effect<ReadonlyArray<{ readonly text: string; readonly interrupted: boolean }>>
}

const recorder = (log: EventLog.EventLog<Output>): BidiOutput => ({
  name: "recorder",
  events: allTags,
  open: Effect.succeed({
    offer: log.add,
    flush: Effect.void,
    playback: "none",
    run: Effect.void,
    end: Effect.void
  })
})

/** Starts an agent. Without a speaker everything it says is heard when it comes. */
export const start = Effect.fnUntraced(function* <Tools extends Record<string, Tool.Any> = {}, R = never>(
  profile: BidiAgent.Profile<Tools, never, R> = {},
  speaker?: BidiTest.VirtualSpeaker,
  options: Pick<BidiAgent.RunOptions, "sessionId"> = {}
) {
  const log = EventLog.make<Output>()
  const agent = yield* BidiAgent.make(profile)
  const call: BidiAgent.Call<BidiError> = yield* agent.start({
    ...options,
    outputs: [recorder(log), ...(speaker === undefined ? [] : [speaker.output])]
  })
  const { all, events, until, waitFor } = log
  const { input } = call.model
  return {
    ...call,
    seen: events,
    all,
    until,
    waitFor,
    untilSaid: (text) =>
      Effect.asVoid(
        waitFor(`"${text}"`, () =>
          all("TranscriptStream").find(
            (event) => event.role === "assistant" && event.isFinal && event.currentTranscript.trim() === text
          )
        )
      ),
    speak: Stream.runForEach(speech(input), (audio) => call.send({ _tag: "AudioInput", audio, ...input })),
    said: Effect.map(call.history, ({ content }) =>
      content.flatMap((message) => {
        if (message.role !== "assistant") return []
        const text = message.content.map((part) => (part.type === "text" ? part.text : "")).join("")
        const { interrupted } = message.options["effect-bidi"] as { readonly interrupted?: boolean }
        return text === "" ? [] : [{ text: text.trim(), interrupted: interrupted === true }]
      })
    )
  } satisfies Call
})

/** Milliseconds of audio that one reply has produced so far, or all of them. */
export const produced = (call: Pick<Call, "all">, responseId?: string): number =>
  call
    .all("AudioStream")
    .filter((event) => responseId === undefined || event.responseId === responseId)
    .reduce((sum, event) => sum + Audio.millis(event, event.audio.length), 0)

/** Waits until something holds that causes no event, such as how far a speaker is. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.sleep("10 millis"), until(holds))))

/** Checks that the agent said these texts, in this order, and nothing else. */
export const checkSaid = (call: Call, ...texts: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.flatMap(call.said, (said) =>
    check(
      JSON.stringify(said.map(({ text }) => text)) === JSON.stringify(texts),
      `the agent said ${JSON.stringify(said)}, not ${JSON.stringify(texts)}`
    )
  )

/** Breaks the connection, and waits for the next one. */
export const breakConnection = Effect.fnUntraced(function* ({ failures }: Lab, call: Call) {
  const loss = failures.find(({ reason, when }) => when === "live" && reason === "ConnectionLost")
  if (loss === undefined)
    return yield* Effect.die(new Error("the lab has no live failure with the reason ConnectionLost"))
  const before = call.all("ConnectionStart").length
  yield* loss.cause
  yield* call.until("ConnectionStart", before + 1)
})
