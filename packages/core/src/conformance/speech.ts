/**
 * A whole agent that speaks and is spoken to: what is heard, and what interrupts it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as BidiTest from "../BidiTest.ts"
import { type Call, checkSaid, produced, start, until } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { tone } from "./support/speech.ts"

const COUNT =
  "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
const NOTICE = "This call is recorded so that we can learn from it."

/** The agent counts: five seconds of audio are there before they are heard. */
const counting = Effect.fnUntraced(function* (call: Call, times = 1) {
  yield* call.send("Count.")
  const { responseId } = yield* call.until("ResponseStart", times)
  yield* call.waitFor("five seconds of sound", () => (produced(call, responseId) >= 5000 ? true : undefined))
  return responseId
})

const heardOf = (speaker: BidiTest.VirtualSpeaker, responseId: string): number =>
  speaker
    .heard()
    .filter((item) => item.responseId === responseId)
    .reduce((sum, item) => sum + Duration.toMillis(item.heard), 0)

/** Checks that the next reply is heard whole. */
const heardWhole = Effect.fnUntraced(function* (call: Call, speaker: BidiTest.VirtualSpeaker, text: string) {
  yield* call.untilSaid(text)
  yield* call.awaitIdle
  const { responseId } = speaker.heard().at(-1) ?? { responseId: "" }
  const [heard, all] = [heardOf(speaker, responseId), produced(call, responseId)]
  yield* check(all > 0 && Math.abs(heard - all) < 1, `${heard} of ${all} ms of "${text}" were heard`)
})

/** Checks that a part of the counting is in the history. */
const cutShort = (call: Call) =>
  Effect.flatMap(call.said, (said) =>
    check(
      said.some(({ interrupted, text }) => interrupted && text !== COUNT && COUNT.startsWith(text)) &&
        said.every(({ text }) => text !== COUNT),
      `the history holds ${JSON.stringify(said)}`
    )
  )

const userTurns = (call: Call) =>
  Effect.map(call.history, ({ content }) => content.filter(({ role }) => role === "user"))

export const speech: ReadonlyArray<Scenario> = [
  {
    name: "stops playing when the user speaks over a complete reply, and keeps in the history what was heard",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const call = yield* start({}, speaker)
        yield* server.reply({ text: COUNT })
        const responseId = yield* counting(call)
        yield* until(() => heardOf(speaker, responseId) >= 1000)
        yield* server.hear("Stop!")
        yield* server.reply({ text: "All right." })
        yield* Effect.forkScoped(call.speak)
        const interruption = yield* call.until("Interruption")
        const heard = Duration.toMillis(interruption.heard)
        yield* check(interruption.reason === "user_speech", `it was interrupted by ${interruption.reason}`)
        yield* check(interruption.responseId === responseId, "another reply was interrupted")
        const all = produced(call, responseId)
        yield* check(heard >= 1000 && heard < all, `${heard} of ${all} ms are reported as heard`)
        if (call.model.capabilities.truncation) {
          if (server.truncated === undefined) return yield* Effect.die(new Error("the lab needs server.truncated"))
          yield* server.truncated(heard)
        }
        yield* cutShort(call)
        yield* heardWhole(call, speaker, "All right.")
        const left = heardOf(speaker, responseId)
        yield* check(Math.floor(left + 0.001) === heard, `${left} ms were heard, not ${heard}`)
        yield* check(call.all("Interruption").length === 1, "it was interrupted more than once")
      }).pipe(Effect.provide(model))
  },
  {
    name: "is interrupted by the application, while it generates and while it is audible",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const call = yield* start({}, speaker)
        yield* call.interrupt()
        yield* check(call.all("Interruption").length === 0, "silence was interrupted")
        yield* server.reply({ text: COUNT })
        yield* server.hold
        yield* call.send("Count.")
        const { responseId } = yield* call.until("ResponseStart")
        yield* call.interrupt()
        yield* server.release
        const ended = yield* call.until("ResponseComplete")
        yield* check(ended.stopReason === "interrupted", `a reply that was interrupted ended with ${ended.stopReason}`)
        const before = produced(call, responseId)

        yield* server.reply({ text: COUNT })
        const next = yield* counting(call, 2)
        yield* until(() => heardOf(speaker, next) >= 500)
        yield* call.interrupt()
        const last = call.all("Interruption").at(-1)
        yield* check(last?.responseId === next && last.reason === "manual", "an audible reply was not interrupted")

        yield* server.reply({ text: "All right." })
        yield* call.send("Enough.")
        yield* heardWhole(call, speaker, "All right.")
        yield* check(produced(call, responseId) === before, "audio of a reply came after its interruption")
        yield* cutShort(call)
      }).pipe(Effect.provide(model))
  },
  {
    name: "says the texts of the application one after the other",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        yield* server.reply({ text: "Mind the gap." })
        yield* server.reply({ text: "Mind the doors." })
        yield* Effect.all([call.say("Mind the gap."), call.say("Mind the doors.")], { concurrency: 2 })
        yield* server.received("Mind the gap.")
        yield* server.received("Mind the doors.")
        yield* call.untilSaid("Mind the doors.")
        yield* call.awaitIdle
        yield* checkSaid(call, "Mind the gap.", "Mind the doors.")
        yield* check((yield* userTurns(call)).length === 0, "a text of the application is in the history as the user's")
      }).pipe(Effect.provide(model))
  },
  {
    name: "says uninterruptible speech to its end, whatever the user says or types",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const call = yield* start({}, speaker)
        yield* server.reply({ text: NOTICE })
        yield* server.reply({ text: "You may." })
        yield* call.say(NOTICE, { interruptible: false })
        yield* Effect.forkScoped(call.speak)
        const question = yield* Effect.forkScoped(call.send("May I speak?"))
        const { responseId } = yield* call.until("ResponseComplete")
        yield* until(() => Duration.toMillis(speaker.played()) >= 300)
        yield* call.interrupt()
        yield* Fiber.join(question)
        const [heard, all] = [heardOf(speaker, responseId), produced(call, responseId)]
        yield* check(all > 1500, `a text of eleven words lasts only ${all} ms`)
        yield* check(Math.abs(heard - all) < 1, `${heard} of ${all} ms were heard when the next message was sent`)
        yield* heardWhole(call, speaker, "You may.")
        yield* check(call.all("Interruption").length === 0, "uninterruptible speech was interrupted")
        yield* check(call.all("UserSpeech").length === 0, "the provider heard the user")
        yield* checkSaid(call, NOTICE, "You may.")
      }).pipe(Effect.provide(model))
  },
  {
    name: "is interrupted by force also in uninterruptible speech",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const call = yield* start({}, speaker)
        yield* server.reply({ text: NOTICE })
        yield* call.say(NOTICE, { interruptible: false })
        yield* until(() => Duration.toMillis(speaker.played()) >= 300)
        yield* call.interrupt({ force: true })
        const { heard, reason, responseId } = yield* call.until("Interruption")
        yield* check(reason === "manual", `it was interrupted by ${reason}`)
        yield* server.reply({ text: "All right." })
        yield* call.send("Spare me.")
        yield* heardWhole(call, speaker, "All right.")
        const left = heardOf(speaker, responseId)
        yield* check(Math.abs(left - Duration.toMillis(heard)) < 1, "it was heard after the interruption")
      }).pipe(Effect.provide(model))
  },
  {
    name: "hears nothing while the input is muted, and hears again afterwards",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        yield* server.hear("Can you hear me?")
        yield* server.reply({ text: "I can." })
        yield* call.mute()
        yield* call.speak
        yield* check(
          call.seen().every(({ _tag }) => _tag !== "ResponseStart"),
          "who is muted was answered"
        )
        yield* call.unmute()
        yield* call.speak
        yield* call.untilSaid("I can.")
        yield* call.awaitIdle
        const turns = yield* userTurns(call)
        yield* check(turns.length === 1, `the user had ${turns.length} turns, not the one that was audible`)
        yield* checkSaid(call, "I can.")
      }).pipe(Effect.provide(model))
  },
  {
    name: "hears what is said between turn signals, and stops playing at the first",
    run: ({ manual, server }) =>
      manual === undefined
        ? Effect.void // Unsupported, see turns.ts
        : Effect.gen(function* () {
            const speaker = yield* BidiTest.speaker()
            const call = yield* start({}, speaker)
            const press = call.send({ _tag: "TurnStart" })
            const say = call.send({ _tag: "AudioInput", audio: tone(call.model.input, 25), ...call.model.input })
            yield* server.reply({ text: COUNT })
            yield* counting(call)
            yield* until(() => Duration.toMillis(speaker.played()) >= 300)
            yield* press
            yield* check(call.all("Interruption").length === 1, "it speaks during the user's turn")
            yield* say
            const cleared = yield* Effect.result(call.send({ _tag: "TurnClear" }))
            if (cleared._tag === "Failure") {
              yield* check(
                cleared.failure.reason._tag === "Unsupported",
                `clearing a turn fails with ${cleared.failure}`
              )
            } else {
              yield* press
            }
            yield* server.hear("Over.")
            yield* server.reply({ text: "Roger." })
            yield* say
            yield* call.send({ _tag: "TurnCommit" })
            yield* heardWhole(call, speaker, "Roger.")
            yield* check((yield* userTurns(call)).length === 2, "what was said is not one turn")
            yield* check(call.all("Error").length === 0, "there was an Error event")
          }).pipe(Effect.provide(manual))
  },
  {
    name: "refuses turn signals where turns are not manual",
    run: ({ model }) =>
      Effect.gen(function* () {
        const call = yield* start()
        for (const _tag of ["TurnStart", "TurnCommit", "TurnClear"] as const) {
          const { reason } = yield* failing(_tag, call.send({ _tag }))
          yield* check(reason._tag === "Unsupported", `${_tag} fails with ${reason._tag}`)
        }
      }).pipe(Effect.provide(model))
  }
]
