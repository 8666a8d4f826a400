/**
 * What the user says, and its place in the talk.
 *
 * The wire does not say which words belong to which turn, nor when: transcriptions come in pieces, in no order relative
 * to the reply they cause, some after it has begun, and some never. What is known is when the provider hears speech
 * begin and end (newer models only), when a reply begins, and whether anything but speech can have caused it. So:
 *
 * - A turn gets its place with the first sign of it: the end of its speech, or its first words. At the latest it gets
 *   one before the reply that it must have caused: one that no command of ours had asked for. It is told again when the
 *   reply begins, if there was sound since: that is part of it as well.
 * - Its words are final when the reply begins. Words that still come before the next turn are its late tail: the final
 *   text is said again, as a whole.
 * - The next turn begins with the next speech. Where the provider does not tell of speech, it begins with the first
 *   words after the reply has ended or was cut off. A turn without any words waits for them a little longer: until the
 *   user has sent enough sound that the words must be new ones.
 */
import { deltaOf } from "./transcriptDelta.ts"
import type { Events, State, UserTurn } from "./state.ts"
import { nextId } from "./state.ts"

/** The provider hears the user begin or stop to speak. It says so once, or in two ways. */
export const onSpeech = (state: State, begins: boolean, out: Events): void => {
  if (state.speaking === begins) return
  state.speaking = begins
  if (begins) {
    leave(state, out)
    // while it generates, the provider itself says whether it was cut off
    const interrupts = state.session.interrupts && state.reply === undefined
    out.push({ _tag: "SpeechStarted", interrupts })
    giveUp(state, out)
  } else {
    out.push({ _tag: "SpeechStopped" })
    take(state, out)
  }
}

/** Words of the user. */
export const onWords = (state: State, words: string, finished: boolean, out: Events): void => {
  if (words !== "") {
    if (isNew(state)) leave(state, out)
    // words are the first sign of speech where the provider does not tell of it
    const utterance = state.utterance ?? place(state, state.session.interrupts && !state.speaking, out)
    const delta = deltaOf(utterance.text, words)
    utterance.text += delta
    state.signs++
    if (delta === "") {
      // said before
    } else if (utterance.final) {
      out.push({ _tag: "TranscriptDone", role: "user", itemId: utterance.id, text: utterance.text })
    } else {
      out.push({ _tag: "TranscriptDelta", role: "user", itemId: utterance.id, delta })
    }
  }
  if (finished && state.utterance !== undefined) finish(state.utterance, out)
}

/** A reply begins: what caused it stands before it. */
export const onReply = (state: State, out: Events): void => {
  const { committed, heard, owed, session } = state
  // the news that the user has stopped may be lost; who answers has heard them to the end
  if (state.speaking) {
    state.speaking = false
    out.push({ _tag: "SpeechStopped" })
  }
  const open = state.utterance !== undefined && !state.utterance.answered
  const spoken = committed || (!session.manual && heard && owed !== "command")
  if (open || spoken) {
    const utterance = take(state, out)
    utterance.answered = true
    finish(utterance, out)
  }
  state.heard = false
  state.committed = false
}

/** The provider's turn is over. `silent`: it said nothing. */
export const onTurnEnd = (state: State, silent: boolean, out: Events): void => {
  const { utterance } = state
  state.since = 0
  if (utterance === undefined) return
  if (utterance.answered ? utterance.text !== "" : silent) {
    finish(utterance, out)
    state.utterance = undefined
  }
}

/** Nobody answered what the user said, for long: its words are final, and others are another turn. */
export const overdue = ({ utterance }: State, out: Events): void => {
  if (utterance === undefined || utterance.answered) return
  utterance.overdue = true
  finish(utterance, out)
}

// Whether words are those of another turn than the one that waits for its own.
const isNew = ({ reply, session, since, utterance }: State): boolean =>
  utterance !== undefined &&
  (utterance.overdue || (utterance.answered && utterance.text === "" && !reply && since >= session.second))

/** The turn of before is over; an answered one takes no more words. */
export const leave = (state: State, out: Events): void => {
  const { utterance } = state
  if (utterance === undefined || !(utterance.answered || utterance.overdue)) return
  finish(utterance, out)
  if (utterance.text === "" && state.session.transcribes) state.wordless = utterance.id
  state.utterance = undefined
}

/** Words that would now be taken for those of another turn never come: nobody needs to wait for them. */
export const giveUp = (state: State, out: Events): void => {
  const { errors, wordless } = state
  if (wordless === undefined) return
  state.wordless = undefined
  out.push({ _tag: "TranscriptFailed", itemId: wordless, error: errors.wordless() })
}

/** The turn that is being spoken, or was spoken last and is not answered. */
const place = (state: State, interrupts: boolean, out: Events): UserTurn => {
  const { utterance } = state
  if (utterance !== undefined && !utterance.answered) return utterance
  leave(state, out)
  const placed: UserTurn = { id: nextId(state, "utterances"), text: "", final: false, answered: false, overdue: false }
  state.utterance = placed
  tell(state, placed, interrupts, out)
  return placed
}

/** The turn, with all that was sent until now. */
const take = (state: State, out: Events): UserTurn => {
  const utterance = place(state, false, out)
  if (state.heard) tell(state, utterance, false, out)
  return utterance
}

const tell = (state: State, { id }: UserTurn, interrupts: boolean, out: Events): void => {
  const respond = state.session.responds
  state.heard = false
  state.committed = false
  if (respond) state.owed ??= "speech"
  out.push({ _tag: "UserTurn", itemId: id, respond, ...(interrupts ? { interrupts } : {}) })
  giveUp(state, out)
}

const finish = (utterance: UserTurn, out: Events): void => {
  if (utterance.final || utterance.text === "") return
  utterance.final = true
  out.push({ _tag: "TranscriptDone", role: "user", itemId: utterance.id, text: utterance.text })
}
