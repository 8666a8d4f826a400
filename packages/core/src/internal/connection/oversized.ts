/**
 * Finds the message that was too large for the provider. The close says only that there was one (RFC 6455: 1009), and it
 * would be sent again on every connection. The largest message that was sent recently is suspected, and is refused when it
 * is suspected twice.
 */
import { BidiError, InvalidRequest } from "../../BidiError.ts"
import { fromError } from "../../BidiEvent.ts"
import type { Transcript } from "../../Transcript.ts"
import { type Message, messageOf } from "./messages.ts"
import type { Services } from "../conversation/services.ts"

/** Whether the provider closed the connection because a message was too large. */
export const isTooLarge = ({ reason }: BidiError): boolean => reason.code === "1009"

const largest = (suspects: ReadonlyArray<Message>): Message | undefined =>
  suspects.reduce<Message | undefined>(
    (most, one) => (most !== undefined && most.size >= one.size ? most : one),
    undefined
  )

const SUSPECT_MILLIS = 10_000 // how long after receiving the history a connection may end because of it

const TOO_LARGE = { result: "The result was too large to send.", isFailure: true }

export class OversizedMessages {
  private readonly blamed = new Set<string>()
  private readonly services: Services
  private history: Transcript = []
  private at = 0

  constructor(services: Services) {
    this.services = services
  }

  /** A connection receives the history. */
  told(history: Transcript): void {
    this.history = history
    this.at = this.services.now()
  }

  /** A connection was closed because of a message that was too large. */
  blame(close: BidiError): void {
    const { now, outbox } = this.services
    const told = now() - this.at < SUSPECT_MILLIS ? this.history.map(messageOf) : []
    const suspect = largest([...outbox.recent(), ...told])
    if (suspect === undefined) return
    if (this.blamed.has(suspect.id)) this.refuse(suspect.id, close)
    this.blamed.add(suspect.id)
  }

  private refuse(id: string, close: BidiError): void {
    const { fanout, history, model, outbox, turn, transcriber } = this.services
    const message = `A message was too large for the provider and ended two connections; it is not sent again (${close.reason.message})`
    const error = new BidiError({
      reason: new InvalidRequest({ message, code: "1009" }),
      provider: model.provider
    })
    const entry = history.get(id)
    if (entry?._tag === "ToolCall") history.put({ ...entry, output: TOO_LARGE })
    // a message that is not sent needs no reply
    transcriber.refused(id)
    turn.refused(id)
    if (!outbox.refuse(id, error)) fanout.emit(fromError(error))
  }
}
