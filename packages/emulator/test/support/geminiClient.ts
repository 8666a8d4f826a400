/**
 * A plain client of Gemini Live.
 */
import * as Effect from "effect/Effect"
import type * as Emulator from "@effect-bidi/emulator/Emulator"
import { typesOf } from "../../src/internal/gemini/codec.ts"
import { setupOf, text } from "./gemini.ts"
import type { Begin, Message } from "./gemini.ts"
import * as Socket from "./socket.ts"

export interface Client extends Socket.Client<Message> {
  /** Types it and answers everything up to the end of the turn. */
  readonly ask: (words: string) => Effect.Effect<ReadonlyArray<Message>>
}

export const pathOf = (version: string, slashes = "/"): string =>
  `${slashes}ws/google.ai.generativelanguage.${version}.GenerativeService.BidiGenerateContent`

export interface Options {
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `null` sends no setup. */
  readonly begin?: Begin | null
}

const addressOf = (emulator: Emulator.Emulator, { headers = {}, path = `${pathOf("v1beta")}?key=any` }: Options) => ({
  url: `${emulator.url.replace("http", "ws")}${path}`,
  options: { headers }
})

/** Everything that a server says is binary; what is no JSON has the type "garbage". */
const read = (data: Buffer, isBinary: boolean): Message => {
  try {
    return isBinary ? (JSON.parse(String(data)) as Message) : { textFrame: true }
  } catch {
    return { garbage: String(data) }
  }
}

/** Connects and sets the session up; the scope cuts the connection. */
export const connect = Effect.fnUntraced(function* (emulator: Emulator.Emulator, options: Options = {}) {
  const plain = yield* Socket.open({ ...addressOf(emulator, options), read, typesOf })
  if (options.begin !== null) yield* plain.send(setupOf(options.begin ?? {}))
  const ask = Effect.fnUntraced(function* (words: string) {
    const from = plain.events.length
    yield* plain.send(text(words))
    yield* plain.next("serverContent.turnComplete")
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
