/**
 * A plain client of OpenAI Realtime.
 */
import * as Effect from "effect/Effect"
import type { ClientOptions } from "ws"
import type * as Emulator from "@effect-bidi/emulator/Emulator"
import type { Event } from "./fold.ts"
import * as Socket from "./socket.ts"

export interface Client extends Socket.Client<Event> {
  /** Says it, asks for a reply and answers everything up to its `response.done`. */
  readonly ask: (text: string, response?: object) => Effect.Effect<ReadonlyArray<Event>>
}

export interface Options extends Omit<ClientOptions, "key"> {
  readonly key?: string | null
  readonly path?: string
}

const addressOf = (emulator: Emulator.Emulator, { key = "sk-test", path, ...options }: Options) => ({
  url: `${emulator.url.replace("http", "ws")}${path ?? "/realtime?model=gpt-realtime-2.1"}`,
  options: {
    ...options,
    headers: { ...options.headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) }
  }
})

/** Frames that are no JSON have the type "". */
const read = (data: Buffer): Event => {
  try {
    return JSON.parse(String(data)) as Event
  } catch {
    return { type: "", text: String(data) }
  }
}

/** Connects; the scope cuts the connection. */
export const connect = Effect.fnUntraced(function* (emulator: Emulator.Emulator, options: Options = {}) {
  const plain = yield* Socket.open({ ...addressOf(emulator, options), read, typesOf: ({ type }) => [type] })
  const ask = Effect.fnUntraced(function* (text: string, response: object = {}) {
    const from = plain.events.length
    const item = { type: "message", role: "user", content: [{ type: "input_text", text }] }
    yield* plain.send({ type: "conversation.item.create", item }, { type: "response.create", response })
    yield* plain.next("response.done")
    return plain.events.slice(from)
  })
  const client: Client = { ...plain, ask }
  return client
})

/** The answer to a handshake that is refused. */
export const refused = (emulator: Emulator.Emulator, options: Options = {}) => {
  const address = addressOf(emulator, options)
  return Socket.refusal(address.url, address.options)
}
