/**
 * What the user said: the recogniser's blocks between two replies are one turn.
 */
import { join } from "./plannedSpeech.ts"
import { type Events, newTurn, type State, type UserTurn } from "./state.ts"

/** A block of the user's words begins. */
export const hear = (state: State, contentId: string, out: Events): UserTurn => {
  if (state.turn === undefined) {
    state.turn = newTurn(state)
    // what is said into a reply may be no more than a murmur; what is said after it may be said into its sound
    const respond = state.response === undefined
    out.push({ _tag: "UserTurn", itemId: state.turn.itemId, respond, ...(respond ? { interrupts: true } : {}) })
  }
  state.asked = true
  state.turn.open.add(contentId)
  return state.turn
}

export const words = (turn: UserTurn, text: string, isMore: boolean, out: Events): void => {
  if (turn.done) return
  const before = turn.text
  // the recogniser may say that it heard something, and not what
  if (before === "" && text.trim() === "") return
  const delta = isMore ? text : join(before, text)
  if (delta === "") return
  turn.text += delta
  out.push({ _tag: "TranscriptDelta", role: "user", itemId: turn.itemId, delta })
}

/** A block of the user's words ended. */
export const heard = (turn: UserTurn, contentId: string, out: Events): void => {
  turn.open.delete(contentId)
  if (turn.answered && turn.open.size === 0) finish(turn, out)
}

/** Somebody answers: the turn is over, as soon as its words are there. */
export const answer = (state: State, out: Events): void => {
  const { turn } = state
  if (turn === undefined) return
  overdue(state, out)
  state.turn = undefined
  state.answered = turn
  turn.answered = true
  if (turn.open.size === 0) finish(turn, out)
}

/** Words that have not come by the end of the answer will not: what there is of them is all. */
export const overdue = ({ answered }: State, out: Events): void => {
  if (answered !== undefined) finish(answered, out)
}

const finish = (turn: UserTurn, out: Events): void => {
  if (turn.done) return
  turn.done = true
  out.push({ _tag: "TranscriptDone", role: "user", itemId: turn.itemId, text: turn.text })
}
