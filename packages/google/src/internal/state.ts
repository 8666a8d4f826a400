/**
 * What is known of one connection. It is mutated in place, because one message of audio must cost next to nothing; the
 * functions over it are deterministic: no clock, no randomness, no IO. The wire has no ids; those of a connection are
 * counted, behind a prefix that no other connection has.
 */
import type { LiveClientMessage } from "@google/genai"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import type { Errors } from "./errors.ts"

/** A message of ours. All but the setup and the user's audio, which have their own ways. */
export type ClientMessage = Pick<LiveClientMessage, "clientContent" | "realtimeInput" | "toolResponse">

/** What the settings mean for the protocol. */
export interface Session {
  /** In front of every id. */
  readonly prefix: string
  /** The name of the model, for complaints. */
  readonly model: string
  /** Bytes of a second of the user's audio. */
  readonly second: number
  /** The application says where the user's turns begin and end. */
  readonly manual: boolean
  /** The user's speech cuts a reply off. */
  readonly interrupts: boolean
  /** The provider answers all that it hears. */
  readonly responds: boolean
  /** The words of the user are told. */
  readonly transcribes: boolean
  /** The model waits in silence for the answers to its calls. */
  readonly blocking: boolean
  /** Meanwhile it takes no sound either: the connection would be closed. */
  readonly rejectsAudioWhileBlocked: boolean
  /** What an answer to a call does to a reply that is being spoken; `undefined` where there is no choice. */
  readonly scheduling: "when_idle" | "interrupt" | undefined
  /** How the talk so far gets into a new session. */
  readonly seed: "history" | "context"
  /** Content can be added without a reply to it. */
  readonly context: boolean
  /** The session existed before this connection. */
  readonly resumed: boolean
}

/** A reply that is being generated. */
export interface Reply {
  readonly id: string
  /** Its current piece of speech, with its words. There are several only where the model thinks in between. */
  item: { readonly id: string; text: string } | undefined
  /** A turn of the model is over, and the model has not done: another is to follow. */
  held: boolean
  /** There was sound, or words of it; until then there is nothing to be heard. */
  spoken: boolean
  /** There was sound. */
  sounded: boolean
}

/** A reply that has ended. */
export interface Last {
  readonly id: string
  cut: boolean
  readonly sounded: boolean
  /** What is known of its words. */
  text: string
}

/** A call that came lately. */
export interface Called {
  /** What it is called here. */
  readonly id: string
  /** What it is called on the wire; parts of content may leave it out. */
  wire: string | undefined
  readonly name: string
  readonly args: string
  /** The number of the reply that it belongs to. */
  reply: number
  /** It came as a part of the model's content, or else as a message of its own. */
  readonly asPart: boolean
  /** It came in the other way as well. */
  twice: boolean
}

/** A turn of the user, and the words of it that have come. */
export interface UserTurn {
  readonly id: string
  text: string
  /** All its words were thought to have come. */
  final: boolean
  /** A reply has begun since. */
  answered: boolean
  /** No reply has begun for so long that none is expected any more. */
  overdue: boolean
}

export interface State {
  readonly errors: Errors
  readonly session: Session
  readonly counts: { replies: number; items: number; utterances: number; calls: number }
  reply: Reply | undefined
  /** The last reply that ended. The provider may still cut it off, while it is being played. */
  last: Last | undefined
  /** Where words of the user go. */
  utterance: UserTurn | undefined
  /** A turn whose words have not come, and whose place is another's now. */
  wordless: string | undefined
  /** The user is speaking, as the provider hears it. */
  speaking: boolean
  /** There was sound from the user that has no place in the talk yet. */
  heard: boolean
  /** Bytes of the user's sound since the provider's last turn ended. */
  since: number
  /** The application has said that the user's turn is over; it has no place in the talk yet. */
  committed: boolean
  /** The application is within a turn of the user. */
  activity: boolean
  /** What a reply was asked for by and has not begun for: a command of ours, or what the user said. */
  owed: "command" | "speech" | undefined
  /** Something of the provider's current turn has come. */
  begun: boolean
  /** Calls were answered to a model that has waited for it: an empty turn behind them is not yet the reply. */
  resuming: boolean
  /** Such an empty turn has come. */
  awaited: boolean
  /** How often the user's words have come, or what was awaited was awaited anew. */
  signs: number
  /** What the model is to know, and can be told only together with something to answer. */
  readonly untold: Array<string>
  /** Calls that wait for an answer. */
  readonly calls: Set<string>
  /** The latest calls, oldest first. */
  readonly called: Array<Called>
  /** The provider has announced the end of the connection. */
  expiring: boolean
}

/** What messages of the provider lead to. */
export type Events = Array<ModelEvent>

export const initial = (errors: Errors, session: Session): State => ({
  errors,
  session,
  counts: { replies: 0, items: 0, utterances: 0, calls: 0 },
  reply: undefined,
  last: undefined,
  utterance: undefined,
  wordless: undefined,
  speaking: false,
  heard: false,
  since: 0,
  committed: false,
  activity: false,
  owed: undefined,
  begun: false,
  resuming: false,
  awaited: false,
  signs: 0,
  untold: [],
  calls: new Set(),
  called: [],
  expiring: false
})

const kinds = { replies: "r", items: "a", utterances: "u", calls: "c" } as const

/** The next id of its kind. */
export const nextId = ({ counts, session }: State, kind: keyof typeof kinds): string =>
  `${session.prefix}_${kinds[kind]}${++counts[kind]}`

/**
 * Why the connection ended. After an announcement, every close that is not our fault is the announced end. A session that
 * has worked and then calls what we said invalid ("No turn to complete", "Request contains an invalid argument.") works
 * again when it is resumed; the same from a connection that has done nothing else is our fault after all.
 */
export const endOf = (state: State, error: BidiError): BidiError => {
  const { counts, errors, expiring } = state
  const { _tag, code } = error.reason
  const worked = counts.replies > 0 || counts.utterances > 0
  const own = _tag === "InvalidRequest" && code === "1007" && worked ? errors.unexpected(error) : error
  return expiring && (own.reason._tag === "ConnectionLost" || own.reason._tag === "ServerFault")
    ? errors.expired(own)
    : own
}
