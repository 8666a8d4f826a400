/**
 * What comes from the socket.
 */
import type { Fields } from "@effect-bidi/core/adapter/Json"

/** A JSON object with a type, as the SDK hands it over. */
export interface Frame extends Fields {
  readonly type: string
}

/** What comes from the socket; `undefined` is a frame that is no JSON object with a type. */
export type Inbound = Frame | undefined

/** What our own clock says of a request: its time is over. In line with what the provider says. */
export const overdue = (eventId: string): Frame => ({ type: OVERDUE, request: eventId })

export const OVERDUE = "bidi.overdue"
