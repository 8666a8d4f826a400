/**
 * What is known of one connection. It is mutated in place, because one frame of audio must cost next to nothing; the
 * functions over it are deterministic: no clock, no randomness, no IO.
 */
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import type { Errors } from "./errors.ts"
import { PlannedSpeech } from "./plannedSpeech.ts"
import * as Usage from "./usage.ts"

/** A reply. The provider has no ids for them: one begins with the first speech or call after the end of another. */
export interface Response {
  readonly id: string
  /** Its words and its sound are one item, so that the words can be cut by time. */
  readonly itemId: string
  readonly plan: PlannedSpeech
  /** All that was announced, and all that was told as spoken. */
  announced: string
  spoken: string
  /** Blocks of sound that have not ended. */
  readonly sounding: Set<string>
  /** How it ends, once nothing more is begun in it. */
  ending: "complete" | "tool_use" | undefined
  /** The provider said of the words it confirmed that they are all. */
  confirmed: boolean
  interrupted: boolean
  done: boolean
}

/** What the user said, until somebody answers. */
export interface UserTurn {
  readonly itemId: string
  text: string
  /** Blocks of words that have not ended. */
  readonly open: Set<string>
  /** The answer has begun. */
  answered: boolean
  /** Its words were said to be all. */
  done: boolean
}

/** A block of content, from `contentStart` to `contentEnd`. */
export interface Block {
  readonly type: string
  readonly role: string
  readonly stage: string | undefined
  readonly turn: UserTurn | undefined
  /** The reply that went on or was the last when it began. What interrupts is a block too. */
  readonly about: Response | undefined
  /** The reply that its content belongs to. */
  response: Response | undefined
  /** It has had text before. */
  begun: boolean
}

export interface State {
  readonly errors: Errors
  /** Unique for the connection: its events name it, and all made-up ids begin with it. */
  readonly promptName: string
  readonly blocks: Map<string, Block>
  /** Blocks of sound that have ended, lately. */
  readonly silenced: Set<string>
  /** The reply that is going on. */
  response: Response | undefined
  /** The last one that ended. */
  last: Response | undefined
  turn: UserTurn | undefined
  /** The last turn that was answered; words of it may still come. */
  answered: UserTurn | undefined
  /** The next announcement is that of a new reply: something was asked since the last. */
  asked: boolean
  /** Sentences of replies that are over which may still be confirmed. */
  readonly late: Array<string>
  totals: Usage.Totals
  responses: number
  turns: number
  names: number
  /** Facts to be told with the next text. */
  readonly notes: Array<string>
}

export const initial = (errors: Errors, promptName: string): State => ({
  errors,
  promptName,
  blocks: new Map(),
  silenced: new Set(),
  response: undefined,
  last: undefined,
  turn: undefined,
  answered: undefined,
  asked: false,
  late: [],
  totals: Usage.none,
  responses: 0,
  turns: 0,
  names: 0,
  notes: []
})

export type Events = Array<ModelEvent>

export const newResponse = (state: State): Response => {
  const id = `${state.promptName}-r${++state.responses}`
  return {
    id,
    itemId: `${id}-speech`,
    plan: new PlannedSpeech(),
    announced: "",
    spoken: "",
    sounding: new Set(),
    ending: undefined,
    confirmed: false,
    interrupted: false,
    done: false
  }
}

export const newTurn = (state: State): UserTurn => ({
  itemId: `${state.promptName}-u${++state.turns}`,
  text: "",
  open: new Set(),
  answered: false,
  done: false
})
