/**
 * What comes in, on its way to the outbox.
 */
import * as Effect from "effect/Effect"
import * as Audio from "../Audio.ts"
import { BidiError, InvalidRequest, Unsupported } from "../BidiError.ts"
import type { AudioInput } from "../BidiEvent.ts"
import type { Command, UserPart } from "../BidiModel.ts"
import type { Sendable } from "../CurrentConversation.ts"
import type { Interrupter } from "./interruption.ts"
import { ended } from "./outbox.ts"
import type { Rooms } from "./rooms.ts"

export interface Sender {
  readonly send: (input: Sendable) => Effect.Effect<void, BidiError>
  /** Takes a frame of the user's speech at once. Answers what is wrong with it, if anything is. */
  readonly audio: (frame: AudioInput) => BidiError | undefined
}

export const make = (rooms: Rooms, interrupter: Interrupter, isEnded: () => boolean): Sender => {
  const { memory, model, outbox, outputs, turn } = rooms

  const message = Effect.fnUntraced(function* (parts: ReadonlyArray<UserPart>) {
    if (parts.length === 0) return yield* invalid("a message needs at least one part")
    if (!model.capabilities.images && parts.some((part) => typeof part !== "string")) {
      return yield* unsupported("images", "cannot see pictures")
    }
    yield* interrupter.interrupt("user_text")
    // 32 characters: the longest id that every provider takes
    const id = crypto.randomUUID().replaceAll("-", "")
    yield* outbox.offer(
      { _tag: "UserMessage", id, parts },
      {
        // what has left is part of the talk; what has not will leave on the next connection
        onSent: () => {
          memory.put({ _tag: "User", id, parts })
          turn.awaitReply()
        }
      }
    )
  })

  const signal = Effect.fnUntraced(function* (command: Extract<Command, { _tag: `Turn${string}` }>) {
    if (!model.capabilities.manualTurns) return yield* unsupported("manual turns", "decides by itself whose turn it is")
    if (command._tag === "TurnStart") yield* interrupter.interrupt("user_speech")
    yield* outbox.offer(command, command._tag === "TurnCommit" ? { onSent: turn.awaitReply } : {})
  })

  const unsupported = (feature: string, cannot: string) =>
    new BidiError({
      reason: new Unsupported({ feature, message: `${model.model} ${cannot}` }),
      provider: model.provider
    })

  const audio = (frame: AudioInput) => {
    const problem = Audio.mismatch(model.input, frame, frame.audio.length)
    if (problem !== undefined) return invalid(problem)
    outbox.audio(frame.audio)
    return undefined
  }

  const send = (input: Sendable): Effect.Effect<void, BidiError> => {
    if (isEnded()) return Effect.fail(ended())
    if (typeof input === "string") return message([input])
    if (isParts(input))
      return message(input.map((part) => (typeof part === "object" && "text" in part ? part.text : part)))
    switch (input._tag) {
      case "TextInput":
        return message([input.text])
      case "ImageInput":
        return message([input])
      case "AudioInput": {
        const problem = audio(input)
        return problem === undefined ? Effect.void : Effect.fail(problem)
      }
      case "PlaybackReport":
        return Effect.sync(() => outputs.report(input.itemId, input.played))
      case "TurnStart":
      case "TurnCommit":
      case "TurnClear":
        return signal({ _tag: input._tag })
    }
  }

  return { send: (input) => Effect.suspend(() => send(input)), audio }
}

const isParts = (input: Sendable): input is Extract<Sendable, ReadonlyArray<unknown>> => Array.isArray(input)

const invalid = (message: string) => new BidiError({ reason: new InvalidRequest({ message }) })
