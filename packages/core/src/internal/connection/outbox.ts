/**
 * What waits to be sent, in two queues that outlive connections.
 *
 * - **Commands**: writers wait until their command has been sent, and none is dropped. A command stays in the queue until it
 *   has been sent: peek, send, remove.
 * - **Audio**: a frame of the user's speech is sent in the stack of its caller, without waking a fiber.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { AudioFormat } from "../../Audio.ts"
import { BidiError, ConversationEnded, ServerFault } from "../../BidiError.ts"
import type { Command, Connection } from "../../BidiModel.ts"
import { AudioBuffer } from "./audioBuffer.ts"
import * as WellFormed from "../conversation/wellFormed.ts"
import { type Message, messagesOf } from "./messages.ts"

const CONTROL_CAPACITY = 1024
const RETRY_CONGESTED = Effect.sleep("20 millis") // until audio that the connection did not take is tried again
const SUSPECT_MILLIS = 10_000 // how long after a message a connection may end because of it
const MAX_UNCONFIRMED = 2 // connections that end without confirming a command, before it is refused

/** The error code of a command that the provider did not confirm in time. */
export const NOT_CONFIRMED = "not_confirmed"

const dropped = Metric.counter("bidi_input_audio_dropped", {
  description: "Frames of the user's speech that were lost because the connection did not take them in time",
  incremental: true
})

/** Binds a command to one connection. On a later one, `otherwise` replaces it, or it is dropped. */
export interface Bound {
  readonly generation: number
  readonly otherwise?: (generation: number) => Command | undefined
}

interface Item {
  readonly command: Command
  readonly bound: Bound | undefined
  /** Called with what was sent, at the moment at which it was sent. */
  readonly onSent: ((command: Command) => void) | undefined
  readonly onRefused: ((error: BidiError) => void) | undefined
  readonly undo: (() => Command) | undefined
  readonly done: Deferred.Deferred<void, BidiError>
  /** How many frames of audio came before this command. */
  readonly frames: number
  /** Whether a caller waits for it, who receives a refusal. */
  readonly awaited: boolean
  sending: boolean
  /** Whether the caller who waited for it was interrupted. */
  givenUp: boolean
  /** How many connections ended without confirming it. */
  unconfirmed: number
}

export interface Offer {
  readonly bound?: Bound
  /** Runs before the command gets its place. One at a time, so that no command overtakes an earlier one. */
  readonly first?: Effect.Effect<unknown, BidiError>
  readonly onSent?: (command: Command) => void
  /** Called with a refusal, instead of emitting it, if no caller waits for the command. */
  readonly onRefused?: (error: BidiError) => void
  /** Sent after a command that left although its caller was interrupted; the command then counts as not sent. */
  readonly undo?: () => Command
}

export interface Outbox {
  /** Appends a command and waits until it has been sent. Interruption withdraws it. */
  readonly offer: (command: Command, options?: Offer) => Effect.Effect<void, BidiError>
  /** Appends a command without waiting and regardless of the capacity, for the few that the conversation itself sends. */
  readonly offerUnsafe: (command: Command, options?: Offer) => void
  /** Puts a command before all others. */
  readonly prependUnsafe: (command: Command, options?: Offer) => void
  /** The user's speech. */
  readonly audio: AudioBuffer
  /** The provider took the speech sent so far as a turn. */
  readonly committed: () => void
  /** The turns so far were answered, or their words are known; their speech is not sent again. */
  readonly answered: () => void
  /** Sends what waits over this connection, commands by `send`, until that fails. */
  readonly drain: (
    generation: number,
    connection: Connection,
    send: Connection["send"]
  ) => Effect.Effect<never, BidiError>
  /** What was sent, or was about to be sent, in the last seconds of the connection. */
  readonly recent: () => ReadonlyArray<Message>
  /** Refuses the waiting command with this id, which the provider will never accept. Returns whether there was one. */
  readonly refuse: (id: string, error: BidiError) => boolean
  readonly isEmpty: () => boolean
  /** Whether a manual turn is in progress, which a new connection will repeat. */
  readonly inTurn: () => boolean
  /** The conversation is over: all commands fail, now and later. */
  readonly end: (error: BidiError) => void
}

export const ended = (): BidiError =>
  new BidiError({ reason: new ConversationEnded({ message: "The conversation has ended" }) })

/** `onRefused` is called with refusals that no caller receives, `onGone` whenever a command has left the queue. */
export const make = Effect.fnUntraced(function* (
  format: AudioFormat,
  onRefused: (error: BidiError) => void,
  onGone: () => void,
  now: () => number
) {
  const context = yield* Effect.context<never>()
  const permits = yield* Semaphore.make(CONTROL_CAPACITY)
  const oneByOne = yield* Semaphore.make(1)
  const work = yield* Latch.make(false)
  const control: Array<Item> = []
  const lane = new AudioBuffer(
    format,
    () => dropped.updateUnsafe(1, context),
    () => work.openUnsafe()
  )
  let failure: BidiError | undefined
  let turn: ManualTurn | undefined
  let left: ReadonlyArray<{ readonly at: number; readonly command: Command }> = [] // recently on this connection, or about to be sent

  // Audio that came after a turn signal waits for it.
  const changed = () => lane.hold(control.find((item) => isTurnSignal(item.command))?.frames)

  const add = (
    command: Command,
    options: Offer | undefined,
    awaited: boolean,
    put: (item: Item) => void,
    frames = lane.total
  ): Item => {
    const item: Item = {
      command,
      bound: options?.bound,
      onSent: options?.onSent,
      onRefused: options?.onRefused,
      undo: options?.undo,
      done: Deferred.makeUnsafe(),
      frames,
      awaited,
      sending: false,
      givenUp: false,
      unconfirmed: 0
    }
    if (failure !== undefined) {
      Deferred.doneUnsafe(item.done, Exit.fail(failure))
    } else {
      put(item)
      changed()
      work.openUnsafe()
    }
    return item
  }

  const remove = (item: Item) => {
    control.splice(control.indexOf(item), 1)
    changed()
  }

  // A command that is being sent cannot be withdrawn, but it is not sent again.
  const giveUp = (item: Item) => {
    if (!control.includes(item)) return
    item.givenUp = true
    if (!item.sending) withdraw(item)
  }

  const withdraw = (item: Item) => {
    remove(item)
    onGone()
  }

  const take = (item: Item, command: Command | undefined, generation: number) => {
    remove(item)
    if (command !== undefined && item.givenUp && item.undo !== undefined) {
      const { onRefused, undo } = item
      const bound = { generation }
      add(undo(), onRefused === undefined ? { bound } : { bound, onRefused }, false, (item) => control.unshift(item))
    } else if (command !== undefined) {
      if (command._tag === "TurnClear") {
        turn = undefined
        lane.discardUntil(item.frames)
      } else if (isTurnSignal(command)) {
        turn = { command, onSent: item.onSent }
      }
      item.onSent?.(command)
    }
    Deferred.doneUnsafe(item.done, Exit.void)
    onGone()
  }

  // A manual turn without an answer is repeated on a new connection, including its end if it has ended.
  const repeatTurn = () => {
    if (turn === undefined) return
    const { command, onSent } = turn
    const unshift = (item: Item) => void control.unshift(item)
    if (command._tag === "TurnCommit") {
      add(command, onSent === undefined ? {} : { onSent }, false, unshift)
    }
    add({ _tag: "TurnStart" }, undefined, false, unshift, lane.oldest)
  }

  const lately = () => left.filter(({ at }) => now() - at < SUSPECT_MILLIS)

  // a refusal goes to the caller who waits, otherwise to the observers
  const refuse = (item: Item, error: BidiError) => {
    remove(item)
    if (Deferred.doneUnsafe(item.done, Exit.fail(error)) && !item.awaited) (item.onRefused ?? onRefused)(error)
    onGone()
  }

  // The connection is gone, or another one takes over.
  const notSent = (item: Item, error: BidiError | undefined) => {
    if (item.givenUp) return withdraw(item)
    if (error?.reason.code !== NOT_CONFIRMED || ++item.unconfirmed < MAX_UNCONFIRMED) return
    const message = `The provider did not confirm the change on ${MAX_UNCONFIRMED} connections`
    const reason = new ServerFault({ message, code: NOT_CONFIRMED })
    refuse(item, new BidiError({ reason, ...(error.provider === undefined ? {} : { provider: error.provider }) }))
  }

  const drain = Effect.fnUntraced(
    function* (generation: number, current: Connection, send: Connection["send"]) {
      left = []
      lane.rewind()
      repeatTurn()
      lane.connect(current)
      while (true) {
        const item = control[0]
        if (item === undefined) {
          work.closeUnsafe()
          yield* lane.flush() ? work.await : Effect.raceFirst(work.await, RETRY_CONGESTED)
          continue
        }
        const meant =
          item.bound === undefined || item.bound.generation === generation
            ? item.command
            : item.bound.otherwise?.(generation)
        const command = meant === undefined ? undefined : WellFormed.command(meant)
        if (command === undefined) {
          take(item, undefined, generation)
          continue
        }
        // audio that came before a turn signal is sent before it
        while (!lane.flush() && isTurnSignal(command)) yield* RETRY_CONGESTED
        item.sending = true
        left = [...lately(), { at: now(), command }]
        yield* Effect.logDebug(`sending ${command._tag}`)
        yield* send(command).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              item.sending = false
              const error = Option.getOrUndefined(Exit.findErrorOption(exit))
              if (Exit.isSuccess(exit)) take(item, command, generation)
              else if (error !== undefined && isRefusal(error)) refuse(item, error)
              else notSent(item, error)
            })
          ),
          Effect.catchIf(isRefusal, () => Effect.void)
        )
      }
    },
    Effect.ensuring(Effect.sync(() => lane.connect(undefined)))
  )

  return {
    offer: (command, options) =>
      permits.withPermits(1)(
        Effect.suspend(() => {
          let item: Item | undefined
          const place = Effect.sync(() => (item = add(command, options, true, (item) => control.push(item))))
          const first = options?.first
          return Effect.flatMap(
            first === undefined ? place : oneByOne.withPermit(Effect.andThen(first, place)),
            ({ done }) => Deferred.await(done)
          ).pipe(Effect.onInterrupt(() => Effect.sync(() => item !== undefined && giveUp(item))))
        })
      ),
    offerUnsafe: (command, options) => void add(command, options, false, (item) => control.push(item)),
    prependUnsafe: (command, options) => void add(command, options, false, (item) => control.unshift(item)),
    audio: lane,
    committed: () => lane.committed(),
    answered: () => {
      lane.answered()
      if (turn?.command._tag === "TurnCommit") turn = undefined
    },
    drain: drain as Outbox["drain"],
    recent: () => lately().flatMap(({ command }) => messagesOf(command)),
    refuse: (id, error) => {
      const items = control.filter((item) => messagesOf(item.command).some((one) => one.id === id))
      for (const item of items) refuse(item, error)
      return items.length > 0
    },
    isEmpty: () => control.length === 0,
    inTurn: () => turn !== undefined,
    end: (error) => {
      failure = error
      for (const item of control.splice(0)) Deferred.doneUnsafe(item.done, Exit.fail(error))
      changed()
    }
  } satisfies Outbox
})

type TurnSignal = Extract<Command, { readonly _tag: `Turn${string}` }>

/** A manual turn in progress, by its last signal. */
interface ManualTurn {
  readonly command: Exclude<TurnSignal, { readonly _tag: "TurnClear" }>
  readonly onSent: Item["onSent"]
}

const isTurnSignal = (command: Command): command is TurnSignal =>
  command._tag === "TurnStart" || command._tag === "TurnCommit" || command._tag === "TurnClear"

// The adapter refuses a single command with these; any other failure ends the connection.
const isRefusal = (error: BidiError) => error.reason._tag === "InvalidRequest" || error.reason._tag === "Unsupported"
