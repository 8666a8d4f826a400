/**
 * Session logs in S3, or in a service with its conditional writes (`If-Match`, `If-None-Match`). Where those are not honoured,
 * nothing can keep two owners apart, and `open` fails.
 *
 * A write takes 20 to 100 ms at S3, and whoever waits for a record to be durable waits that long: hooks, tools, and the success
 * of `send`. Needs the package `@aws-sdk/client-s3`.
 *
 * @since 0.1.0
 */
import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException
} from "@aws-sdk/client-s3"
import { BidiError, StoreFailed } from "@effect-bidi/core/BidiError"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
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
  readonly client: S3Client
  readonly bucket: string
  /** Put before every key. Default: `sessions/`. */
  readonly prefix?: string
  /**
   * How long a session stays busy after its owner has gone without closing it, by the clocks of the processes. Default: 1
   * minute.
   */
  readonly lease?: Duration.Input
}

/**
 * Who owns a session. Of the epochs below `sealed` only the batches up to `known` count, and none of those that are not there:
 * what a superseded owner writes later does not.
 */
const Claim = Schema.fromJsonString(
  Schema.Struct({
    epoch: Schema.Int,
    by: Schema.String,
    expiresAt: Schema.Int,
    sealed: Schema.Int,
    known: Schema.Record(Schema.String, Schema.String)
  })
)

type Claim = typeof Claim.Type

const digits = (value: number) => value.toString().padStart(10, "0")

/**
 * Makes a store. Its first use of the bucket checks that conditional writes are honoured.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<SessionStore.Store> {
  const { bucket: Bucket, client, prefix = "sessions/" } = options
  const lease = Duration.toMillis(Duration.fromInputUnsafe(options.lease ?? "1 minute"))
  const by = Owner.describe(Owner.self())
  const clock = yield* Clock.Clock

  const failed = <A>(what: string, run: (signal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (error) => storeFailed(what, error) })

  /** Returns the new ETag, or nothing if the condition does not hold. */
  const put = (Key: string, Body: string, condition: { readonly IfMatch: string } | { readonly IfNoneMatch: "*" }) =>
    failed(`writing ${Key}`, async (abortSignal) => {
      try {
        const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }), { abortSignal })
        return Option.some(ETag ?? "")
      } catch (error) {
        if (error instanceof S3ServiceException && [409, 412].includes(error.$metadata.httpStatusCode ?? 0)) {
          return Option.none<string>()
        }
        throw error
      }
    })

  const get = (Key: string) =>
    failed(`reading ${Key}`, async (abortSignal) => {
      try {
        const { Body, ETag } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal })
        return { text: await Body!.transformToString(), etag: ETag ?? "" }
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined
        throw error
      }
    })

  const list = (Prefix: string) =>
    failed(`listing ${Prefix}`, async (abortSignal) => {
      const keys: Array<string> = []
      let ContinuationToken: string | undefined
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix,
            ...(ContinuationToken === undefined ? {} : { ContinuationToken })
          }),
          { abortSignal }
        )
        keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
      return keys.toSorted()
    })

  // The second write of the same new key has to be refused.
  const probe = yield* Effect.cached(
    Effect.gen(function* () {
      const key = `${prefix}conditional-writes`
      yield* put(key, "probe", { IfNoneMatch: "*" })
      if (Option.isNone(yield* put(key, "probe", { IfNoneMatch: "*" }))) return
      const message = `the bucket "${Bucket}" does not honour If-None-Match, so two processes could own one session at once`
      return yield* new BidiError({ reason: new StoreFailed({ message }) })
    })
  )

  const ownerKey = (sessionId: string) => `${prefix}${escapeId(sessionId)}/owner`
  const logPrefix = (sessionId: string) => `${prefix}${escapeId(sessionId)}/log/`
  const batchKey = (sessionId: string, epoch: number, first: number, at: number) =>
    `${logPrefix(sessionId)}${digits(epoch)}-${digits(first)}-${digits(at)}`
  const epochOf = (key: string) => Number(key.slice(key.lastIndexOf("/") + 1).split("-", 1)[0])

  const claimOf = Effect.fnUntraced(function* (sessionId: string) {
    const object = yield* get(ownerKey(sessionId))
    if (object === undefined) return undefined
    const claim = yield* Effect.mapError(Schema.decodeEffect(Claim)(object.text), (error) =>
      storeFailed("reading the owner", error)
    )
    return { claim, etag: object.etag }
  })

  const write = (sessionId: string, claim: Claim, etag: string | undefined) =>
    put(
      ownerKey(sessionId),
      Schema.encodeSync(Claim)(claim),
      etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag }
    )

  const now = () => clock.currentTimeMillisUnsafe()

  // Two steps: with the first one, appends of the old owner fail; the second one says what of them counts.
  const acquire = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    yield* probe
    while (true) {
      const current = yield* claimOf(sessionId)
      if (current !== undefined && onBusy === "fail" && current.claim.expiresAt > now()) {
        return yield* SessionStore.busy(sessionId, current.claim.by)
      }
      const { epoch: before, known, sealed } = current?.claim ?? { epoch: 0, known: {}, sealed: 0 }
      const claim = { epoch: before + 1, by, expiresAt: now() + lease, known, sealed }
      const first = yield* write(sessionId, claim, current?.etag)
      if (Option.isNone(first)) continue
      const last: Record<string, string> = { ...known }
      for (const key of yield* list(logPrefix(sessionId))) if (epochOf(key) >= sealed) last[epochOf(key)] = key
      const mine = { ...claim, known: last, sealed: claim.epoch }
      const second = yield* write(sessionId, mine, first.value)
      // somebody else has taken over in between
      if (Option.isNone(second)) return yield* SessionStore.taken(sessionId, (yield* claimOf(sessionId))?.claim.by)
      return { claim: mine, etag: second.value }
    }
  })

  const claim = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    let batch = 0
    const mine = yield* Effect.acquireRelease(acquire(sessionId, onBusy), (mine) =>
      Effect.ignore(write(sessionId, { ...mine.claim, expiresAt: 0 }, mine.etag))
    )
    const { epoch } = mine.claim
    const isMine = Effect.flatMap(claimOf(sessionId), (current) =>
      current?.claim.epoch === epoch ? Effect.void : Effect.fail(SessionStore.taken(sessionId, current?.claim.by))
    )

    // A service that is away is no reason to give up: only another owner is.
    const renew = Effect.gen(function* () {
      const renewed = { ...mine.claim, expiresAt: now() + lease }
      const etag = yield* Effect.orElseSucceed(write(sessionId, renewed, mine.etag), () => Option.some(mine.etag))
      if (Option.isSome(etag)) mine.etag = etag.value
      else yield* isMine
    })

    return {
      epoch,
      append: Effect.fnUntraced(function* (lines, first) {
        // a number of its own for every attempt: one that failed may have arrived
        yield* put(batchKey(sessionId, epoch, first, batch++), lines.join("\n"), { IfNoneMatch: "*" })
        yield* isMine
      }),
      lost: Effect.forever(Effect.andThen(Effect.sleep(lease / 3), renew))
    } satisfies SessionStore.Claim
  })

  const lines = Effect.fnUntraced(function* (sessionId: string) {
    const keys = yield* list(logPrefix(sessionId))
    // read after the list: a batch that is in the list, and counts, counts by every later claim too
    const claim = (yield* claimOf(sessionId))?.claim
    const sealed = claim?.sealed ?? 0
    const counts = keys.filter((key) => epochOf(key) >= sealed || key <= (claim?.known[epochOf(key)] ?? ""))
    const batches = yield* Effect.forEach(counts, get, { concurrency: 16 })
    return batches.flatMap((object) => object?.text.split("\n") ?? [])
  })

  return SessionStore.make({ by, claim, lines })
})

/**
 * Keeps sessions in S3. See {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> => Layer.effect(SessionStore.SessionStore, make(options))
