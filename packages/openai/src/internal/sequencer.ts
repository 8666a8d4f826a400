/**
 * One reply at a time: when to send `response.create`. The provider refuses a second response while one is active, and
 * its turn detection starts responses by itself, in a race with ours.
 *
 * Requests that cannot be sent at once become one: it is sent when the active response is done, and follows all the
 * instructions that the requests brought. So every request is followed by a reply that was begun after it.
 *
 * A request may be lost, or refused in words that do not name it. One that nothing came of for too long (`overdue`) is
 * sent once more, and then given up: nothing that is asked later waits for it.
 */

/** The instructions that a reply shall follow; none for a plain request. */
export type ReplyInstructions = ReadonlyArray<string>

/** A request that was sent, and neither answered nor refused for good. */
interface Request {
  readonly eventId: string
  readonly instructions: ReplyInstructions
  /**
   * The cancellation that was sent ahead of a request that is sent once more. What begins before the provider has answered
   * it is not the reply to this request.
   */
  readonly cancelId: string | undefined
  /** It was refused because of a response that we have not heard of yet. The instructions are among what is pending. */
  readonly blocked: boolean
  /** Its time is over; a response that is active has to end first. */
  readonly late: boolean
}

export interface Sequencer {
  /** The response that is being generated. */
  readonly active: string | undefined
  readonly request: Request | undefined
  /** What is to be asked for when nothing is active any more. */
  readonly pending: ReplyInstructions | undefined
  /**
   * What the provider's own turn detection leads to next, after it took a turn: a reply, or, where one is active, a
   * refusal that names no event.
   */
  readonly heard: "reply" | "refusal" | undefined
  /** How often in a row nothing came of what is asked for now. */
  readonly misses: number
  /** Nothing came of the request before: it may still be answered. */
  readonly unsure: boolean
  /** The last requests that were sent, by the id of their event: one that is refused may have to be asked again. */
  readonly asked: ReadonlyMap<string, ReplyInstructions>
}

/** A `response.create` to be sent now. */
export interface Create {
  readonly eventId: string
  readonly instructions: ReplyInstructions
  /** The request before may still be answered: that is cancelled first, or there would be two replies. */
  readonly cancelId: string | undefined
}

// A refusal comes within one round trip, in which no more than a few requests can be sent.
const REMEMBERED_REQUESTS = 16

/** How often something is asked for before it is given up. */
const MAX_ATTEMPTS = 2

export const initial: Sequencer = {
  active: undefined,
  request: undefined,
  pending: undefined,
  heard: undefined,
  misses: 0,
  unsure: false,
  asked: new Map()
}

const join = (one: ReplyInstructions | undefined, other: ReplyInstructions): ReplyInstructions => [
  ...new Set([...(one ?? []), ...other])
]

/** A reply is wanted. */
export const want = (self: Sequencer, instructions: ReplyInstructions): Sequencer => ({
  ...self,
  pending: join(self.pending, instructions)
})

/** The user speaks: what was heard before leads to nothing any more. */
export const speech = (self: Sequencer): Sequencer => (self.heard === undefined ? self : { ...self, heard: undefined })

/** The provider's turn detection took a turn that it answers by itself. */
export const turn = (self: Sequencer): Sequencer => ({
  ...self,
  heard: self.active === undefined ? "reply" : "refusal"
})

/** A response began, whoever asked for it. One that follows a turn is the provider's own, and no answer to a request. */
export const created = (self: Sequencer, responseId: string): Sequencer => {
  const { heard, request } = self
  const isAnother = request?.blocked === false && (heard === "reply" || request.cancelId !== undefined)
  const now = { ...self, active: responseId, heard: undefined }
  return isAnother ? now : answered(now)
}

const answered = (self: Sequencer): Sequencer => ({ ...self, request: undefined, misses: 0, unsure: false })

/** A response ended. `cancelled`: because we asked for it. */
export const done = (self: Sequencer, responseId: string, cancelled = false): Sequencer => {
  if (self.active !== responseId) return self
  const now = { ...self, active: undefined, heard: undefined }
  return cancelled ? notActive(now, undefined) : now
}

/** There was nothing to cancel. `eventId` is that of the cancellation, where it is known. */
export const notActive = (self: Sequencer, eventId: string | undefined): Sequencer => {
  const { request } = self
  if (request?.cancelId === undefined || (eventId !== undefined && eventId !== request.cancelId)) return self
  return { ...self, request: { ...request, cancelId: undefined } }
}

/**
 * A request was refused because a response is active. `eventId` names it; a refusal that names nothing is that of the
 * turn that was heard, or else of our request. It is asked for again when the active response is done: at the next `take`,
 * if that has happened in the meantime; else later, even if we have not yet heard of that response.
 */
export const busy = (self: Sequencer, eventId: string | undefined): Sequencer => {
  const named = eventId === undefined ? undefined : self.asked.get(eventId)
  if (named !== undefined) return refusedAsBusy(want(self, named), eventId)
  if (self.heard !== undefined) return { ...want(self, []), heard: undefined }
  const { request } = self
  return request === undefined ? want(self, []) : refusedAsBusy(want(self, request.instructions), request.eventId)
}

const refusedAsBusy = (self: Sequencer, eventId: string | undefined): Sequencer => {
  const { active, request } = self
  if (request === undefined || request.eventId !== eventId) return self
  return { ...answered(self), request: active === undefined ? { ...request, blocked: true } : undefined }
}

/** A request was refused for good. */
export const refused = (self: Sequencer, eventId: string): Sequencer =>
  self.request?.eventId === eventId ? answered(self) : self

/** The time of a request is over. */
export const overdue = (self: Sequencer, eventId: string): Sequencer =>
  self.request?.eventId === eventId ? { ...self, request: { ...self.request, late: true } } : self

/** Whether nothing came of a request as often as it may be sent, and it is given up at the next `take`. */
export const isGivenUp = ({ active, misses, request }: Sequencer): boolean =>
  active === undefined && request?.late === true && !request.blocked && misses + 1 >= MAX_ATTEMPTS

/** What is to be sent now, if anything. */
export const take = (self: Sequencer, nextId: () => string): readonly [Sequencer, Create | undefined] => {
  const now = withoutLate(self)
  if (now.active !== undefined || now.request !== undefined || now.pending === undefined) return [now, undefined]
  const cancelId = now.unsure ? nextId() : undefined
  const create: Create = { cancelId, eventId: nextId(), instructions: now.pending }
  const asked = new Map(now.asked).set(create.eventId, create.instructions)
  if (asked.size > REMEMBERED_REQUESTS) asked.delete(asked.keys().next().value!)
  const request: Request = { ...create, blocked: false, late: false }
  return [{ ...now, request, pending: undefined, asked }, create]
}

// A request that is late is not waited for any more. What it wanted is asked for again, if it was not already.
const withoutLate = (self: Sequencer): Sequencer => {
  const { active, misses, pending, request } = self
  if (active !== undefined || request === undefined || !request.late) return self
  if (request.blocked) return { ...self, request: undefined }
  const vain = { ...self, request: undefined, unsure: true }
  if (isGivenUp(self)) return { ...vain, misses: 0 }
  return { ...vain, misses: misses + 1, pending: join(request.instructions, pending ?? []) }
}
