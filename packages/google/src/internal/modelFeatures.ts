/**
 * What each generation of live models can do.
 */

export type Level = "minimal" | "low" | "medium" | "high"

export interface ModelFeatures {
  /** How error messages call these models. */
  readonly name: string
  /** How thinking is set: by a level, by a number of tokens, or not at all. */
  readonly thinking: "level" | "budget" | "none" | "any"
  /** The level without which the model refuses the session. */
  readonly level: Level | undefined
  readonly behaviors: ReadonlyArray<"blocking" | "non_blocking">
  /** Sound that comes while the model waits for the answer to a call makes it close the connection. */
  readonly rejectsAudioWhileBlocked: boolean
  /** What `functions.behavior` is by default; `undefined` is the provider's only way and is not said on the wire. */
  readonly behavior: "blocking" | "non_blocking" | undefined
  /** The model may leave speech unanswered: by its nature, on request, or never. */
  readonly proactivity: "always" | "optional" | "never"
  readonly affectiveDialog: boolean
  readonly language: boolean
  /** Hints for the transcription of the user's speech. */
  readonly hints: boolean
  readonly coverages: ReadonlyArray<"activity" | "all" | "activity_and_video">
  /**
   * How the talk so far gets into a new session. `history`: declared in the setup (`historyConfig`), so that the model
   * takes it as such. `context`: as content that waits for a reply to be asked for, and ends with the user.
   */
  readonly seed: "history" | "context"
  /** Content can be added while the talk goes on, without a reply to it. */
  readonly context: boolean
}

const generation3 = {
  // new input takes the call back
  rejectsAudioWhileBlocked: false,
  proactivity: "always",
  affectiveDialog: false,
  language: true,
  hints: true,
  coverages: ["activity", "all", "activity_and_video"],
  seed: "history",
  context: true
} as const

const live38: ModelFeatures = {
  ...generation3,
  name: "gemini-3.8-live",
  thinking: "none",
  level: undefined,
  behaviors: ["blocking", "non_blocking"],
  behavior: "non_blocking"
}

const thinking38: ModelFeatures = {
  ...generation3,
  name: "gemini-3.8-live-extended-thinking",
  thinking: "level",
  level: "low",
  behaviors: ["non_blocking"],
  behavior: "non_blocking"
}

const live31: ModelFeatures = {
  ...generation3,
  name: "gemini-3.1-flash-live",
  rejectsAudioWhileBlocked: true,
  thinking: "level",
  level: undefined,
  behaviors: ["blocking"],
  behavior: undefined,
  proactivity: "never",
  hints: false,
  context: false
}

const live25: ModelFeatures = {
  name: "gemini-2.5-flash",
  rejectsAudioWhileBlocked: true,
  thinking: "budget",
  level: undefined,
  behaviors: ["blocking", "non_blocking"],
  behavior: undefined,
  proactivity: "optional",
  affectiveDialog: true,
  language: false,
  hints: false,
  coverages: ["activity", "all"],
  seed: "context",
  context: true
}

const byModel: ReadonlyArray<readonly [RegExp, ModelFeatures]> = [
  [/^gemini-3\.8-live-extended-thinking($|-)/, thinking38],
  [/^gemini-3\.8-live($|-)/, live38],
  [/^gemini-3\.1-flash-live($|-)/, live31],
  [/^gemini-(live-)?2\.5-/, live25]
]

/** A model that is not known is taken for a newer one: it gets what the newest has, and nothing is forbidden it. */
const unknown: ModelFeatures = {
  ...live38,
  name: "this model",
  thinking: "any",
  behavior: undefined,
  proactivity: "optional",
  affectiveDialog: true
}

export const featuresOf = (model: string): ModelFeatures => {
  const name = model.replace(/^models\//, "")
  return byModel.find(([pattern]) => pattern.test(name))?.[1] ?? unknown
}
