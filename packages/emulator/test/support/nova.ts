/**
 * A stream of Nova Sonic alone: no socket, virtual time; and the events of its clients.
 */
import * as Assistant from "@effect-bidi/emulator/Assistant"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Session from "../../src/internal/nova/session.ts"
import type { Session as State } from "../../src/internal/nova/state.ts"
import type { Setup } from "../../src/internal/nova/step.ts"
import { typesOf } from "../../src/internal/nova/codec.ts"
import { Run } from "./run.ts"

/** Any JSON, read without ceremony. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = { readonly [key: string]: any }

const prompt = { promptName: "prompt" }

export const event = (type: string, fields: Json = {}): Json => ({ event: { [type]: fields } })

export const sessionStart = (fields: Json = {}) => event("sessionStart", fields)

export const audioOutput = {
  mediaType: "audio/lpcm",
  sampleRateHertz: 24_000,
  sampleSizeBits: 16,
  channelCount: 1,
  voiceId: "matthew",
  encoding: "base64",
  audioType: "SPEECH"
}

export const promptStart = (fields: Json = {}) =>
  event("promptStart", {
    ...prompt,
    textOutputConfiguration: { mediaType: "text/plain" },
    audioOutputConfiguration: audioOutput,
    ...fields
  })

export const tools = (...specs: ReadonlyArray<readonly [name: string, schema: object]>) => ({
  toolUseOutputConfiguration: { mediaType: "application/json" },
  toolConfiguration: {
    tools: specs.map(([name, schema]) => ({
      toolSpec: { name, description: "", inputSchema: { json: JSON.stringify(schema) } }
    }))
  }
})

export const clock = ["current_time", { type: "object", properties: {} }] as const
export const calculator = [
  "calculator",
  { type: "object", properties: { expression: { type: "string" } }, required: ["expression"] }
] as const

const plain = { textInputConfiguration: { mediaType: "text/plain" } }

export const contentStart = (contentName: string, fields: Json) =>
  event("contentStart", { ...prompt, contentName, ...fields })
export const contentEnd = (contentName: string) => event("contentEnd", { ...prompt, contentName })
export const textInput = (contentName: string, content: string) =>
  event("textInput", { ...prompt, contentName, content })
export const promptEnd = event("promptEnd", prompt)
export const sessionEnd = event("sessionEnd")

let names = 0

/** Text in a block of its own. */
export const block = (role: string, text: string | ReadonlyArray<string>, interactive = false): ReadonlyArray<Json> => {
  const name = `text-${++names}`
  const texts = typeof text === "string" ? [text] : text
  return [
    contentStart(name, { type: "TEXT", role, interactive, ...plain }),
    ...texts.map((one) => textInput(name, one)),
    contentEnd(name)
  ]
}

/** Words that the user types. */
export const words = (text: string) => block("USER", text, true)

export const audioStart = (sampleRateHertz = 16_000, fields: Json = {}) =>
  contentStart("audio", {
    type: "AUDIO",
    role: "USER",
    interactive: true,
    audioInputConfiguration: {
      mediaType: "audio/lpcm",
      sampleRateHertz,
      sampleSizeBits: 16,
      channelCount: 1,
      audioType: "SPEECH",
      encoding: "base64"
    },
    ...fields
  })

/** `audioInput` of at most `ms` each. */
export const audio = (pcm: Pcm.Pcm, ms = 100): ReadonlyArray<Json> => {
  const size = Math.round((ms * pcm.sampleRate) / 1000)
  const events = []
  for (let from = 0; from < pcm.samples.length; from += size) {
    const content = Buffer.from(Pcm.toBytes(pcm.samples.subarray(from, from + size))).toString("base64")
    events.push(event("audioInput", { ...prompt, contentName: "audio", content }))
  }
  return events
}

export const resultStart = (name: string, toolUseId: string) =>
  contentStart(name, {
    type: "TOOL",
    role: "TOOL",
    interactive: false,
    toolResultInputConfiguration: { toolUseId, type: "TEXT", ...plain }
  })

/** What a tool answered. */
export const result = (call: Json, content: unknown): ReadonlyArray<Json> => {
  const name = `result-${++names}`
  const text = typeof content === "string" ? content : JSON.stringify(content)
  return [
    resultStart(name, call.toolUseId),
    event("toolResult", { ...prompt, contentName: name, content: text }),
    contentEnd(name)
  ]
}

export interface Options extends Partial<Setup> {
  readonly hear?: (pcm: Pcm.Pcm) => string | Error
  /** Fields of `promptStart`; `null` sends nothing at all. */
  readonly begin?: Json | null
  readonly session?: Json
}

export class Nova extends Run<State, Json> {
  constructor({ begin = {}, hear, session = {}, ...setup }: Options = {}) {
    super(
      Session.make({
        seed: 7,
        speed: Number.POSITIVE_INFINITY,
        chunkMs: 100,
        latencyMs: 0,
        sessionMs: 480_000,
        inputMs: 55_000,
        silenceMs: 180_000,
        assistant: Assistant.scripted,
        ...setup
      }),
      { hear }
    )
    if (begin !== null) this.send(sessionStart(session), promptStart(begin), audioStart())
  }

  get isBusy(): boolean {
    const stage = this.state.turn?.stage
    return stage === "sending" || stage === "playing"
  }

  /** Lets the turn, and the ones that are due after it, come to their end. */
  settle(): ReadonlyArray<Json> {
    return this.passWhile(() => this.isBusy)
  }

  /** Types it and waits for the end of the reply, or for a call; answers what was sent meanwhile. */
  ask(text: string): ReadonlyArray<Json> {
    const before = this.events.length
    this.send(...words(text))
    this.settle()
    return this.events.slice(before)
  }

  /** The exception that ended the stream. */
  get exception(): Json | undefined {
    return this.events.at(-1)?.exception
  }
}

/** The fields of all events of that type. */
export const of = (events: ReadonlyArray<Json>, type: string): ReadonlyArray<Json> =>
  events.flatMap((one) => (one.event?.[type] === undefined ? [] : [one.event[type]]))

export interface OutputBlock {
  readonly type: string
  readonly role: string
  readonly stage: string
  readonly stop: string
  readonly text: string
  /** Milliseconds of sound at 24 kHz. */
  readonly ms: number
}

/** The blocks of the server, in the order in which they begin. */
export const blocksIn = (events: ReadonlyArray<Json>): ReadonlyArray<OutputBlock> =>
  of(events, "contentStart").map(({ additionalModelFields = "{}", contentId, role, type }) => {
    const mine = (kind: string) => of(events, kind).filter((one) => one.contentId === contentId)
    const [end] = mine("contentEnd")
    return {
      type,
      role,
      stage: (JSON.parse(additionalModelFields) as { generationStage?: string }).generationStage ?? "",
      stop: end?.stopReason ?? "",
      text: [...mine("textOutput"), ...mine("toolUse")].map(({ content }) => content as string).join(""),
      ms: mine("audioOutput").reduce((ms, { content }) => ms + Buffer.from(content, "base64").length / 48, 0)
    }
  })

/** One line for each block. */
export const outline = (events: ReadonlyArray<Json>): ReadonlyArray<string> =>
  blocksIn(events).map(({ role, stage, stop, text, type }) =>
    [type, role, stage, stop, type === "AUDIO" ? "" : text].filter((part) => part !== "").join(" ")
  )

/** What the assistant has said, as it was confirmed. */
export const saidIn = (events: ReadonlyArray<Json>): string =>
  blocksIn(events)
    .filter(({ role, stage, text }) => role === "ASSISTANT" && stage === "FINAL" && !text.startsWith("{"))
    .map(({ text }) => text)
    .join(" ")

export const msIn = (events: ReadonlyArray<Json>): number => blocksIn(events).reduce((sum, { ms }) => sum + ms, 0)

export const callsIn = (events: ReadonlyArray<Json>): ReadonlyArray<Json> => of(events, "toolUse")

/** The types of the events, runs of the same one in one. */
export const typesIn = (events: ReadonlyArray<Json>): ReadonlyArray<string> =>
  events.map((one) => typesOf(one).join()).filter((type, i, all) => type !== all[i - 1])
