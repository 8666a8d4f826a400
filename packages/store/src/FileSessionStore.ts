/**
 * Session logs in files: a folder for each session, with a log in JSON Lines.
 *
 * One process at a time owns a session; another that takes it over cannot be overwritten by the first. Not for network file
 * systems, whose `link` is not reliable.
 *
 * @since 0.1.0
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import { storeFailed } from "./internal/errors.ts"
import { escapeId } from "./internal/escape.ts"
import * as Owner from "./internal/owner.ts"

/**
 * Options of {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The folder of all sessions. It is created, readable by its owner only. */
  readonly directory: string
  /**
   * Whether a record counts as durable only when it is on the disk (`fdatasync`). Without it a power failure may lose the
   * last records; a process that is killed loses nothing either way. Default: `true`.
   */
  readonly sync?: boolean
}

const LOG = "log.jsonl"
const FREE = "free"

/**
 * Makes a store. Fails with `StoreFailed` if the folder cannot be created.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* ({
  directory,
  sync = true
}: Options): Effect.fn.Return<SessionStore.Store, BidiError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const self = Owner.self()
  const failed = <A, R>(what: string, effect: Effect.Effect<A, unknown, R>) =>
    Effect.mapError(effect, (error) => storeFailed(what, error))

  yield* failed("creating the folder of the sessions", fs.makeDirectory(directory, { recursive: true, mode: 0o700 }))

  const folderOf = (sessionId: string) => path.join(directory, escapeId(sessionId))
  const ownerFile = (folder: string, epoch: number) => path.join(folder, `owner.${epoch}`)

  const epochsOf = (folder: string) =>
    Effect.map(fs.readDirectory(folder), (names) =>
      names.flatMap((name) => Number(/^owner\.(\d+)$/.exec(name)?.[1] ?? [])).toSorted((a, b) => a - b)
    )

  // A claim is a file that is created once and never changed by others: `link` fails if it exists.
  const claimEpoch = Effect.fnUntraced(function* (
    sessionId: string,
    folder: string,
    onBusy: SessionStore.OnBusy
  ): Effect.fn.Return<number, unknown, Scope.Scope> {
    const temporary = yield* fs.makeTempFileScoped({ directory: folder, prefix: "claim-" })
    yield* fs.writeFileString(temporary, Owner.encode(self), { mode: 0o600 })
    while (true) {
      const highest = (yield* epochsOf(folder)).at(-1) ?? 0
      if (highest > 0 && onBusy === "fail") {
        const text = yield* Effect.orElseSucceed(fs.readFileString(ownerFile(folder, highest)), () => FREE)
        const owner = Owner.decode(text)
        if (owner !== undefined && Owner.mayRun(owner))
          return yield* SessionStore.busy(sessionId, Owner.describe(owner))
      }
      const epoch = highest + 1
      const linked = yield* fs.link(temporary, ownerFile(folder, epoch)).pipe(
        Effect.as(true),
        Effect.catchIf(
          ({ reason }) => reason._tag === "AlreadyExists",
          () => Effect.succeed(false)
        )
      )
      if (!linked) continue
      const epochs = yield* epochsOf(folder)
      if (epochs.at(-1) !== epoch) continue
      // the lowest first: an owner looks for its own claim, and for the next one
      for (const lower of epochs.slice(0, -1)) yield* Effect.ignore(fs.remove(ownerFile(folder, lower)))
      return epoch
    }
  })

  const claim = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    const folder = folderOf(sessionId)
    const log = path.join(folder, LOG)
    yield* failed("creating the folder of the session", fs.makeDirectory(folder, { recursive: true, mode: 0o700 }))
    const epoch = yield* Effect.acquireRelease(
      Effect.scoped(
        Effect.mapError(claimEpoch(sessionId, folder, onBusy), (error) =>
          isBusy(error) ? error : storeFailed("claiming the session", error)
        )
      ),
      (epoch) =>
        // "free" takes the place of the claim, unless a higher one exists by now
        Effect.gen(function* () {
          const temporary = yield* fs.makeTempFile({ directory: folder, prefix: "free-" })
          yield* fs.writeFileString(temporary, FREE)
          yield* fs.rename(temporary, ownerFile(folder, epoch))
        }).pipe(Effect.ignore)
    )
    const file = yield* failed("opening the log", fs.open(log, { flag: "a+", mode: 0o600 }))
    // the last owner may have been killed in the middle of a line
    let torn = true

    const write = Effect.fnUntraced(function* (text: string) {
      const bytes = new TextEncoder().encode(text)
      for (let written = 0; written < bytes.length;) {
        written += Number(yield* file.write(bytes.subarray(written)))
      }
      if (sync) yield* file.sync
    })

    const isSuperseded = failed(
      "looking for another owner",
      Effect.zipWith(
        fs.exists(ownerFile(folder, epoch)),
        fs.exists(ownerFile(folder, epoch + 1)),
        (mine, next) => !mine || next
      )
    )

    return {
      epoch,
      append: Effect.fnUntraced(function* (lines) {
        if (yield* isSuperseded) return yield* SessionStore.taken(sessionId)
        const start = torn ? "\n" : ""
        torn = true
        yield* failed("writing to the log", write(`${start}${lines.join("\n")}\n`))
        torn = false
        if (yield* isSuperseded) return yield* SessionStore.taken(sessionId)
      })
    } satisfies SessionStore.Claim
  })

  const lines = Effect.fnUntraced(function* (sessionId: string) {
    const log = path.join(folderOf(sessionId), LOG)
    if (!(yield* failed("reading the log", fs.exists(log)))) return []
    const text = yield* failed("reading the log", fs.readFileString(log))
    return text.split("\n")
  })

  return SessionStore.make({ by: Owner.describe(self), claim, lines })
})

const isBusy = (error: unknown): error is BidiError =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  error._tag === "BidiError" &&
  (error as BidiError).reason._tag === "SessionBusy"

/**
 * Keeps sessions in files. See {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, BidiError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(SessionStore.SessionStore, make(options))
