/**
 * One reply at a time: when to send `response.create`. The provider refuses a second response while one is active, and
 * its turn detection starts responses by itself, in a race with ours.
 *
 * Requests that cannot be sent at once become one: it is sent when the active response is done, and follows all the
 * instructions that the requests brought. So every request is followed by a reply that was begun after it.
 */

/** The instructions that a reply shall follow; none for a plain request. */
export type Wish = ReadonlyArray<string>

type Phase =
  | { readonly _tag: "Idle" }
  // until a response begins, ours or another
  | { readonly _tag: "Requested"; readonly eventId: string }
  | { readonly _tag: "Active"; readonly responseId: string }

export interface Sequencer {
  readonly phase: Phase
  /** What is to be asked for when nothing is active any more. */
  readonly pending: Wish | undefined
  /** The last requests that were sent, by the id of their event: one that is refused may have to be asked again. */
  readonly asked: ReadonlyMap<string, Wish>
}

/** A `response.create` to be sent now. */
export interface Create {
  readonly eventId: string
  readonly wish: Wish
}

const idle: Phase = { _tag: "Idle" }

// A refusal comes within one round trip, in which no more than a few requests can be sent.
const ASKED = 16

export const initial: Sequencer = { phase: idle, pending: undefined, asked: new Map() }

const join = (one: Wish | undefined, other: Wish): Wish => [...new Set([...(one ?? []), ...other])]

/** A reply is wanted. */
export const want = (self: Sequencer, wish: Wish): Sequencer => ({ ...self, pending: join(self.pending, wish) })

/** A response began, whoever asked for it. */
export const created = (self: Sequencer, responseId: string): Sequencer => ({
  ...self,
  phase: { _tag: "Active", responseId }
})

/** A response ended. */
export const done = (self: Sequencer, responseId: string): Sequencer =>
  self.phase._tag === "Active" && self.phase.responseId === responseId ? { ...self, phase: idle } : self

/**
 * A request was refused because a response is active. `eventId` is ours, or unknown when the provider's own turn
 * detection wanted the reply. It is asked for again when the active response is done: at the next `take`, if that has
 * happened in the meantime; else later, even if we have not yet heard of that response.
 */
export const busy = (self: Sequencer, eventId: string | undefined): Sequencer =>
  want(self, (eventId === undefined ? undefined : self.asked.get(eventId)) ?? [])

/** A request was refused for good. */
export const refused = (self: Sequencer, eventId: string): Sequencer =>
  self.phase._tag === "Requested" && self.phase.eventId === eventId ? { ...self, phase: idle } : self

/** What is to be sent now, if anything. */
export const take = (self: Sequencer, nextId: () => string): readonly [Sequencer, Create | undefined] => {
  if (self.phase._tag !== "Idle" || self.pending === undefined) return [self, undefined]
  const create: Create = { eventId: nextId(), wish: self.pending }
  const asked = new Map(self.asked).set(create.eventId, create.wish)
  if (asked.size > ASKED) asked.delete(asked.keys().next().value!)
  return [{ phase: { _tag: "Requested", eventId: create.eventId }, pending: undefined, asked }, create]
}
