/**
 * Which message was too large for the provider. A close says only that one was (RFC 6455: 1009), and the message would be
 * sent again on every connection: the largest that was sent lately is blamed, and refused when that happens twice.
 */
import { BidiError, InvalidRequest } from "../../BidiError.ts"
import type { Command } from "../../BidiModel.ts"
import { fromError } from "../../BidiEvent.ts"
import type { Entry, Transcript } from "../../Transcript.ts"
import type { Services } from "../conversation/services.ts"

/** Something that was sent: the id of the entry that it is or will be in the history, and its size. */
export interface Suspect {
  readonly id: string
  readonly size: number
}

/** The provider closed because a message was too large for it. */
export const isTooLarge = ({ reason }: BidiError): boolean => reason.code === "1009"

/** What a command is remembered as. */
export const ofCommand = (command: Command): ReadonlyArray<Suspect> => {
  switch (command._tag) {
    case "UserMessage":
      return [{ id: command.id, size: size(command.parts) }]
    case "ToolOutputs":
      return command.outputs.map(({ id, result }) => ({ id, size: size(result) }))
    case "Note":
      return [{ id: command.text, size: size(command.text) }]
    case "Respond":
      return command.instructions === undefined ? [] : [{ id: command.instructions, size: size(command.instructions) }]
    default:
      return []
  }
}

const ofEntry = (entry: Entry): Suspect => ({
  id: entry.id,
  size: entry._tag === "User" ? size(entry.parts) : entry._tag === "ToolCall" ? size(entry.output) : size(entry.text)
})

const largest = (suspects: ReadonlyArray<Suspect>): Suspect | undefined =>
  suspects.reduce<Suspect | undefined>(
    (most, one) => (most !== undefined && most.size >= one.size ? most : one),
    undefined
  )

const SUSPECT_MILLIS = 10_000 // milliseconds in which a connection ends because of the history, if it does

const TOO_LARGE = { result: "The result was too large to be told.", isFailure: true }

export class OversizedMessages {
  private readonly blamed = new Set<string>()
  private readonly services: Services
  private history: Transcript = []
  private at = 0

  constructor(services: Services) {
    this.services = services
  }

  /** A connection is told the talk so far. */
  told(history: Transcript): void {
    this.history = history
    this.at = this.services.now()
  }

  /** A connection was closed for it. */
  blame(close: BidiError): void {
    const { now, outbox } = this.services
    const told = now() - this.at < SUSPECT_MILLIS ? this.history.map(ofEntry) : []
    const suspect = largest([...outbox.suspects(), ...told])
    if (suspect === undefined) return
    if (this.blamed.has(suspect.id)) this.refuse(suspect.id, close)
    this.blamed.add(suspect.id)
  }

  private refuse(id: string, close: BidiError): void {
    const { fanout, history, model, outbox, turn, transcriber } = this.services
    const message = `a message was too large and is not sent any more: it ended two connections (${close.reason.message})`
    const error = new BidiError({
      reason: new InvalidRequest({ message, code: "1009" }),
      provider: model.provider
    })
    const entry = history.get(id)
    if (entry?._tag === "ToolCall") history.put({ ...entry, output: TOO_LARGE })
    // a message that is not sent has no answer
    transcriber.refused(id)
    turn.refused(id)
    if (!outbox.refuse(id, error)) fanout.emit(fromError(error))
  }
}

// Pictures are the only bytes in it.
const size = (value: unknown): number => {
  let pictures = 0
  const text = JSON.stringify(value, (_, one) => {
    if (!(one instanceof Uint8Array)) return one
    pictures += one.length
    return undefined
  })
  return pictures + (text?.length ?? 0)
}
