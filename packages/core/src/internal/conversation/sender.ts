/**
 * Validates what is sent into a conversation, and passes it to the outbox.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Semaphore from "effect/Semaphore"
import { BidiError, InvalidRequest, Unsupported } from "../../BidiError.ts"
import { Input as InputEvent } from "../../BidiEvent.ts"
import type { Command, UserPart } from "../../BidiModel.ts"
import type { Greeting, RespondOptions, SayOptions, Sendable } from "../../CurrentConversation.ts"
import type { Interrupter } from "../turns/interruption.ts"
import { ended, type Offer } from "../connection/outbox.ts"
import * as Ids from "../ids.ts"
import type { Services } from "./services.ts"

export interface Sender {
  readonly send: (input: Sendable) => Effect.Effect<void, BidiError>
  /** Requests that the agent says a text. */
  readonly say: (text: string, options?: SayOptions) => Effect.Effect<void, BidiError>
  /** Requests a reply. */
  readonly respond: (options?: RespondOptions) => Effect.Effect<void, BidiError>
  /** Tells the model a fact. */
  readonly note: (text: string) => Effect.Effect<void, BidiError>
  /** Waits for an effect, and fails when the conversation ends first. */
  readonly orEnded: <E>(waiting: Effect.Effect<void, E>) => Effect.Effect<void, E | BidiError>
  /** Requests the greeting. */
  readonly greet: (greeting: Greeting) => void
}

/** `over` tells whether the conversation has ended, and waits for its end. */
export const make = Effect.fnUntraced(function* (
  services: Services,
  interrupter: Interrupter,
  over: { readonly isOver: () => boolean; readonly wait: Effect.Effect<unknown> }
) {
  const { inputGate, history, journal, model, outbox, outputs, uninterruptible, turn } = services
  const oneAsking = yield* Semaphore.make(1)
  const newId = yield* Ids.generator
  let told = outbox.audio.total // the number of frames up to the last message or turn

  const orEnded = <E>(waiting: Effect.Effect<void, E>) =>
    Effect.andThen(
      Effect.raceFirst(waiting, over.wait),
      Effect.suspend(() => (over.isOver() ? Effect.fail(ended()) : Effect.void))
    )

  const quiet = Effect.gen(function* () {
    if (uninterruptible.active) yield* orEnded(turn.until(() => !uninterruptible.active))
    yield* interrupter.interrupt("user_text")
    told = -1
  })

  const message = Effect.fnUntraced(function* (parts: ReadonlyArray<UserPart>) {
    if (parts.length === 0) return yield* invalid("A message needs at least one part")
    const other = parts.findIndex((part) => typeof part !== "string" && part?._tag !== "ImageInput")
    if (other !== -1) {
      return yield* invalid(`A message consists of texts and images, but part ${other + 1} is ${nameOf(parts[other])}`)
    }
    if (parts.every((part) => typeof part === "string" && part.trim() === "")) {
      return yield* invalid("A message needs text or an image")
    }
    if (!model.capabilities.images && parts.some((part) => typeof part !== "string")) {
      return yield* unsupported("images", "does not accept images")
    }
    const id = newId()
    yield* outbox.offer(
      { _tag: "UserMessage", id, parts },
      {
        first: quiet,
        // what was sent is part of the history; what was not is sent on the next connection
        onSent: (command) => {
          if (history.get(id) === undefined) history.put({ _tag: "User", id, parts })
          turn.awaitReply(command)
        }
      }
    )
    yield* orEnded(journal.durable)
  }, turn.whileSending)

  const saying = (text: string, { interruptible = true }: SayOptions): readonly [Command, Offer] => [
    { _tag: "Respond", instructions: `Say exactly: "${text}" Say it word for word, and nothing else.` },
    {
      onSent: (command) => {
        turn.awaitReply(command)
        if (!interruptible) uninterruptible.request()
      }
    }
  ]

  // one at a time, because a single reply would answer two requests
  const ask = Effect.fnUntraced(
    function* (command: Command, offer: Offer) {
      yield* orEnded(turn.awaitFloor)
      yield* outbox.offer(command, offer)
    },
    oneAsking.withPermit,
    turn.whileSending
  )

  const say = (text: string, options: SayOptions = {}) => ask(...saying(text, options))

  const respond = ({ instructions = "" }: RespondOptions = {}) =>
    ask({ _tag: "Respond", ...(instructions.trim() === "" ? {} : { instructions }) }, { onSent: turn.awaitReply })

  const note = Effect.fnUntraced(function* (text: string) {
    if (over.isOver()) return yield* ended()
    if (text.trim() === "") return yield* invalid("A note needs text")
    const onSent = () => history.put({ _tag: "Note", id: newId(), text })
    yield* outbox.offer({ _tag: "Note", text, respond: false }, { onSent })
    yield* orEnded(journal.durable)
  })

  const greet = (greeting: Greeting) =>
    "text" in greeting
      ? outbox.offerUnsafe(...saying(greeting.text, greeting))
      : outbox.offerUnsafe({ _tag: "Respond", instructions: greeting.instructions }, { onSent: turn.awaitReply })

  const signal = Effect.fnUntraced(function* (command: Extract<Command, { _tag: `Turn${string}` }>) {
    if (!model.capabilities.manualTurns)
      return yield* unsupported(
        "manual turns",
        'detects turns itself. For push to talk, set turnDetection to "manual" if the provider has that option'
      )
    const { total: brought } = outbox.audio
    if (command._tag === "TurnCommit" && told === brought) {
      return yield* invalid("A TurnCommit needs speech before it, and nothing was said in this turn")
    }
    if (command._tag === "TurnStart") yield* interrupter.interrupt("user_speech")
    told = brought
    yield* outbox.offer(command, command._tag === "TurnCommit" ? { onSent: turn.awaitReply } : {})
  }, turn.whileSending)

  const unsupported = (feature: string, cannot: string) =>
    new BidiError({
      reason: new Unsupported({ feature, message: `${model.model} ${cannot}` }),
      provider: model.provider
    })

  const send = (input: Sendable): Effect.Effect<void, BidiError> => {
    if (over.isOver()) return Effect.fail(ended())
    if (typeof input === "string") return message([input])
    if (isParts(input)) {
      return message(input.map((part) => (typeof part === "object" && part?._tag === "TextInput" ? part.text : part)))
    }
    switch (input?._tag) {
      case "TextInput":
        return message([input.text])
      case "ImageInput":
        return message([input])
      case "AudioInput": {
        const problem = inputGate.hear(input, undefined)
        return problem === undefined ? Effect.void : Effect.fail(invalid(problem))
      }
      case "PlaybackReport":
        return Effect.sync(() => {
          outputs.report(input.itemId, input.played)
          turn.changed() // the audio may be over earlier than expected
        })
      case "TurnStart":
      case "TurnCommit":
      case "TurnClear":
        return signal({ _tag: input._tag })
      default:
        return Effect.fail(invalid(`Cannot send ${nameOf(input)}: ${INPUTS}`))
    }
  }

  return {
    send: (input) => Effect.suspend(() => send(input)),
    say,
    respond,
    note,
    orEnded,
    greet
  } satisfies Sender
})

const isParts = (input: Sendable): input is Extract<Sendable, ReadonlyArray<unknown>> => Array.isArray(input)

const INPUTS = `expected a text, a list of texts and images, or ${InputEvent.members.map((member) => member.fields._tag.schema.literal).join(", ")}`

// For values that bypassed the types.
const nameOf = (input: unknown): string =>
  Predicate.hasProperty(input, "_tag")
    ? `a "${String(input._tag)}"`
    : input === null
      ? "null"
      : `of type ${typeof input}`

/** The error of an invalid request. */
export const invalid = (message: string) => new BidiError({ reason: new InvalidRequest({ message }) })
