/**
 * The differences between the generations of models.
 */

/** Whether the model waits for the result of a function. */
export type Behavior = "BLOCKING" | "NON_BLOCKING"

export type Coverage =
  | "TURN_INCLUDES_ONLY_ACTIVITY"
  | "TURN_INCLUDES_ALL_INPUT"
  | "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"

export interface Family {
  /** The allowed behaviors of functions. The first is the default. */
  readonly behaviors: readonly [Behavior, ...ReadonlyArray<Behavior>]
  /** The field of `thinkingConfig` that may be set, besides `includeThoughts`. */
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
  /** The user's transcript comes at once at the end of the turn, and audio comes together with its transcript. */
  readonly isTerse: boolean
  readonly tellsStatus: boolean
  /** The start and the end of speech are reported, and so are interim transcripts. */
  readonly reportsActivity: boolean
  /** Audio that arrives while the model waits for a result ends the connection. */
  readonly isDeafWhileBlocked: boolean
  /** Results are followed by an empty end of a turn, before the reply to them. */
  readonly endsEmptyAfterAnswers: boolean
  /** An empty message comes before the first audio of a turn. */
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

/** Whether the model is one of the Live API. */
export const isLive = (model: string): boolean => /^gemini-[\w.-]*(?:live|native-audio)/.test(model)

/** The family of a model. Unknown names are of the newest family. */
export const familyOf = (model: string): Family => {
  if (/3\.8.*extended-thinking/.test(model)) return thinker
  if (/3\.1/.test(model)) return flash31
  return /2\.[05]/.test(model) ? native25 : newest
}
