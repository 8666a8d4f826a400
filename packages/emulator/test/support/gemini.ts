/**
 * A session of Gemini Live alone: no socket, virtual time; and the messages of its clients.
 */
import * as Assistant from "@effect-bidi/emulator/Assistant"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import type { Stored } from "../../src/internal/server/provider.ts"
import { isLive } from "../../src/internal/gemini/family.ts"
import * as Session from "../../src/internal/gemini/session.ts"
import type { Session as State } from "../../src/internal/gemini/state.ts"
import type { Setup } from "../../src/internal/gemini/step.ts"
import { typesOf } from "../../src/internal/gemini/codec.ts"
import { Run } from "./run.ts"

/** Any JSON, read without ceremony. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Message = { readonly [key: string]: any }

/** Handles of one emulator; the connections that issued them are closed unless a test says otherwise. */
export class Vault {
  readonly kept = new Map<string, Stored>()
  isLive = false
}

/** A setup; the model may go without its path. */
export type Begin = { readonly model?: string; readonly [key: string]: unknown }

export interface Options extends Partial<Setup> {
  readonly hear?: (pcm: Pcm.Pcm) => string | Error
  readonly vault?: Vault
  /** `null` sends no setup. */
  readonly begin?: Begin | null
  readonly now?: number
}

export class Gemini extends Run<State, Message> {
  constructor({ begin = {}, hear, now = 0, vault = new Vault(), ...setup }: Options = {}) {
    const lookup = (handle: string): Stored | undefined => {
      const found = vault.kept.get(handle)
      return found === undefined ? undefined : { ...found, isLive: vault.isLive }
    }
    super(
      Session.make({
        seed: 7,
        speed: Number.POSITIVE_INFINITY,
        chunkMs: 100,
        latencyMs: 0,
        sessionMs: 600_000,
        goAwayMs: 60_000,
        uncompressedMs: 900_000,
        handleMs: 7_200_000,
        endCode: 1011,
        isKeyGood: true,
        hasModel: isLive,
        reportsActivity: undefined,
        assistant: Assistant.scripted,
        lookup,
        ...setup
      }),
      { hear, now, keep: (key, value) => void vault.kept.set(key, { value, at: this.now, isLive: false }) }
    )
    if (begin !== null) this.send(setupOf(begin))
  }

  get isBusy(): boolean {
    const stage = this.state.turn?.stage
    return stage === "sending" || stage === "playing"
  }

  /** Lets the turn, and the ones that are due after it, come to their end. */
  settle(): ReadonlyArray<Message> {
    return this.passWhile(() => this.isBusy)
  }

  /** Types it and waits for the end of the reply, or for a call; answers what was sent meanwhile. */
  ask(words: string): ReadonlyArray<Message> {
    const before = this.events.length
    this.send(text(words))
    this.settle()
    return this.events.slice(before)
  }
}

export const setupOf = ({ model = "gemini-3.8-live", ...setup }: Begin) => ({
  setup: { model: `models/${model}`, outputAudioTranscription: {}, inputAudioTranscription: {}, ...setup }
})

export const text = (text: string) => ({ realtimeInput: { text } })

export const contents = (turnComplete: boolean, ...turns: ReadonlyArray<readonly [role: string, text: string]>) => ({
  clientContent: { turns: turns.map(([role, text]) => ({ role, parts: [{ text }] })), turnComplete }
})

/** `realtimeInput.audio` of at most `ms` each. */
export const audio = (pcm: Pcm.Pcm, ms = 100): ReadonlyArray<Message> => {
  const size = Math.round((ms * pcm.sampleRate) / 1000)
  const messages = []
  for (let from = 0; from < pcm.samples.length; from += size) {
    const data = Buffer.from(Pcm.toBytes(pcm.samples.subarray(from, from + size))).toString("base64")
    messages.push({ realtimeInput: { audio: { data, mimeType: `audio/pcm;rate=${pcm.sampleRate}` } } })
  }
  return messages
}

export const frame = (bytes: number) => ({
  realtimeInput: { video: { data: Buffer.alloc(bytes).toString("base64"), mimeType: "image/jpeg" } }
})

export const functions = (...declarations: ReadonlyArray<object>) => ({
  tools: [{ functionDeclarations: declarations }]
})

export const clock = { name: "current_time", description: "The time", parametersJsonSchema: { type: "object" } }
export const blockingClock = { ...clock, behavior: "BLOCKING" }
export const calculator = {
  name: "calculator",
  parametersJsonSchema: { type: "object", properties: { expression: { type: "string" } }, required: ["expression"] }
}

export const answer = (call: Message, response: object, more: object = {}) => ({
  toolResponse: { functionResponses: [{ id: call.id, name: call.name, response, ...more }] }
})

/** The types of the messages, runs of the same one in one; empty ones, and what is said of resumption, left out. */
export const outline = (messages: ReadonlyArray<Message>): ReadonlyArray<string> =>
  messages
    .map((message) => typesOf(message).join(" + "))
    .filter((type) => type !== "" && type !== "sessionResumptionUpdate")
    .filter((type, i, all) => type !== all[i - 1])

/** All values that stand at that path, in order. */
export const at = (messages: ReadonlyArray<Message>, ...path: ReadonlyArray<string>): ReadonlyArray<Message[string]> =>
  messages.flatMap((message) => {
    let value: Message[string] = message
    for (const key of path) value = value?.[key]
    return value === undefined ? [] : [value]
  })

export const saidIn = (messages: ReadonlyArray<Message>): string =>
  at(messages, "serverContent", "outputTranscription", "text").join("")

export const heardIn = (messages: ReadonlyArray<Message>): string =>
  at(messages, "serverContent", "inputTranscription", "text").join("")

export const callsIn = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  at(messages, "toolCall", "functionCalls").flat()

export const updatesIn = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  at(messages, "sessionResumptionUpdate")

/** Milliseconds of sound in the messages. */
export const msIn = (messages: ReadonlyArray<Message>): number =>
  at(messages, "serverContent", "modelTurn", "parts")
    .flat()
    .reduce((ms, part) => ms + Buffer.from(part.inlineData?.data ?? "", "base64").length / 48, 0)
