/**
 * What the generations of models allow, where they differ.
 */

/** How a function is run: the model waits for its response, or goes on. */
export type Behavior = "BLOCKING" | "NON_BLOCKING"

export type Coverage =
  | "TURN_INCLUDES_ONLY_ACTIVITY"
  | "TURN_INCLUDES_ALL_INPUT"
  | "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"

export interface Family {
  /** What a function without a `behavior` is, first, and what else it may be. */
  readonly behaviors: readonly [Behavior, ...ReadonlyArray<Behavior>]
  /** The part of `thinkingConfig` that may be set, besides `includeThoughts`. */
  readonly thinking: "thinkingBudget" | "thinkingLevel" | "none"
  readonly mustThink: boolean
  readonly hasAffectiveDialog: boolean
  /** Whether the model may decide not to answer; `always` cannot be switched off. */
  readonly proactivity: "optional" | "always" | "none"
  readonly hasContextUpdate: boolean
  /** `clientContent` after the model has spoken. */
  readonly takesContentAnyTime: boolean
  /** `sessionResumption: { handle: null }` is an error. */
  readonly refusesNullHandle: boolean
  /** What was heard comes in one piece at the end of the turn, and sound comes with its words. */
  readonly isTerse: boolean
  readonly tellsStatus: boolean
  /** Speech is told of as it begins and ends, and guesses of its words before they are known. */
  readonly reportsActivity: boolean
  /** Sound that comes while the model waits for a function ends the connection. */
  readonly isDeafWhileBlocked: boolean
  /** The answers of functions are followed by an empty end of a turn, before anything is said to them. */
  readonly endsEmptyAfterAnswers: boolean
  /** An empty message comes before the first sound of a turn. */
  readonly beginsEmpty: boolean
  readonly coverage: Coverage
}

const newest: Family = {
  behaviors: ["NON_BLOCKING", "BLOCKING"],
  thinking: "none",
  mustThink: false,
  hasAffectiveDialog: false,
  proactivity: "always",
  hasContextUpdate: true,
  takesContentAnyTime: true,
  refusesNullHandle: false,
  isTerse: false,
  tellsStatus: true,
  reportsActivity: false,
  isDeafWhileBlocked: false,
  endsEmptyAfterAnswers: false,
  beginsEmpty: true,
  coverage: "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"
}

const thinker: Family = { ...newest, behaviors: ["NON_BLOCKING"], thinking: "thinkingLevel", mustThink: true }

const flash31: Family = {
  behaviors: ["BLOCKING"],
  thinking: "thinkingLevel",
  mustThink: false,
  hasAffectiveDialog: false,
  proactivity: "none",
  hasContextUpdate: false,
  takesContentAnyTime: false,
  refusesNullHandle: true,
  isTerse: true,
  tellsStatus: false,
  reportsActivity: true,
  isDeafWhileBlocked: false,
  endsEmptyAfterAnswers: false,
  beginsEmpty: false,
  coverage: "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"
}

const native25: Family = {
  behaviors: ["BLOCKING", "NON_BLOCKING"],
  thinking: "thinkingBudget",
  mustThink: false,
  hasAffectiveDialog: true,
  proactivity: "optional",
  hasContextUpdate: false,
  takesContentAnyTime: true,
  refusesNullHandle: false,
  isTerse: false,
  tellsStatus: false,
  reportsActivity: false,
  isDeafWhileBlocked: true,
  endsEmptyAfterAnswers: true,
  beginsEmpty: false,
  coverage: "TURN_INCLUDES_ONLY_ACTIVITY"
}

/** Models that speak on this wire. */
export const isLive = (model: string): boolean => /^gemini-[\w.-]*(?:live|native-audio)/.test(model)

/** The family of a model; the newest one for a name that tells none. */
export const familyOf = (model: string): Family => {
  if (/3\.8.*extended-thinking/.test(model)) return thinker
  if (/3\.1/.test(model)) return flash31
  return /2\.[05]/.test(model) ? native25 : newest
}
