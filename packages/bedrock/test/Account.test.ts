import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BidiError, RateLimited } from "@effect-bidi/core/BidiError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import type { KeyProvider } from "../src/Options.ts"
import { NovaSonic } from "../src/index.ts"
import { environment } from "./support/environment.ts"
import { begun, dial, KEY, keys, model, read, ready, setup } from "./support/line.ts"
import * as Server from "./support/server.ts"

const NOW = 1_800_000_000_000
const minutes = (count: number) => count * 60_000

/** A provider that hands out these keys, one after the other; the last one for ever. Knows how it was asked. */
const provider = (...lives: ReadonlyArray<number | undefined>) => {
  const asked: Array<boolean> = []
  let given = -1
  const credentials: KeyProvider = async (options) => {
    asked.push(options?.forceRefresh === true)
    given = Math.min(given + 1, lives.length - 1)
    const life = lives[given]
    return {
      accessKeyId: `AKID${given}`,
      secretAccessKey: KEY.secret,
      ...(life === undefined ? {} : { expiration: new Date(NOW + minutes(life)) })
    }
  }
  return { credentials, asked, given: () => given }
}

const keyOf = (peer: Server.Peer) => /Credential=(\w+)\//.exec(String(peer.headers.authorization))?.[1]

describe("a connection", () => {
  const lives: ReadonlyArray<readonly [number | undefined, number]> = [
    [undefined, 8],
    [60, 8],
    [11, 8],
    // to be renewed three minutes before the keys expire, one before the connection does
    [9, 7],
    [6, 4],
    // however soon they do
    [2, 1],
    [-5, 1]
  ]

  it.effect.each(lives)("with keys for %s minutes lasts for %i", ([life, expected]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const { connection } = yield* begun({ credentials: provider(life).credentials })
      assert.strictEqual(connection.expiresAt, NOW + minutes(expected))
    })
  )

  it.effect("asks for keys once, also when they are about to expire", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const asked: Array<boolean> = []
      const credentials: KeyProvider = async (options) => {
        asked.push(options?.forceRefresh === true)
        return { accessKeyId: "AKID", secretAccessKey: KEY.secret, expiration: new Date(Date.now() + minutes(4)) }
      }
      const { peer } = yield* ready({ credentials })
      yield* TestClock.adjust("1 second")
      yield* peer.sound
      assert.deepStrictEqual(asked, [false])
    })
  )

  it.effect("asks for newer keys than those that are about to expire, for the next one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const server = yield* Server.make()
      const { asked, credentials } = provider(4, 60)
      const { connect } = yield* model(server.url, { credentials })
      assert.strictEqual((yield* connect(setup)).expiresAt, NOW + minutes(2))
      assert.strictEqual((yield* connect(setup)).expiresAt, NOW + minutes(8))
      yield* connect(setup)
      const found = [yield* server.accept, yield* server.accept, yield* server.accept]
      assert.deepStrictEqual(found.map(keyOf), ["AKID0", "AKID1", "AKID1"])
      assert.deepStrictEqual(asked, [false, true])
    })
  )

  it.effect("asks again at once for keys that have run out", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const { asked, credentials } = provider(-1, 60)
      const { peer } = yield* begun({ credentials })
      assert.strictEqual(keyOf(peer), "AKID1")
      assert.deepStrictEqual(asked, [false, true])
    })
  )

  it.effect("makes do with keys that nobody renews, while they are good", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const { credentials } = provider(4)
      let broken = false
      const failing: KeyProvider = (options) => {
        if (options?.forceRefresh === true || broken) return Promise.reject(new Error(KEY.secret))
        broken = true
        return credentials(options)
      }
      const { peer } = yield* begun({ credentials: failing })
      assert.strictEqual(keyOf(peer), "AKID0")
    })
  )

  it.effect("shares its keys with the next one", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const { asked, credentials } = provider(undefined)
      const { connect } = yield* NovaSonic.make({ endpoint: server.url, region: "us-east-1", credentials })
      for (let i = 0; i < 3; i++) yield* connect({ instructions: undefined, tools: [], resume: undefined })
      assert.strictEqual(asked.length, 1)
    })
  )
})

describe("keys that the provider refuses", () => {
  const refusal = (name: string): Server.Answer => ({
    status: 403,
    headers: { "x-amzn-errortype": name },
    body: JSON.stringify({ message: "The security token included in the request is expired" })
  })

  it.effect.each(["ExpiredTokenException", "UnrecognizedClientException"])("are renewed, once: %s", (name) =>
    Effect.gen(function* () {
      const { asked, credentials } = provider(60, 60)
      const server = yield* Server.make({ answers: [refusal(name), "accept"] })
      yield* dial(server.url, { credentials })
      const [first, second] = [yield* server.accept, yield* server.accept]
      assert.deepStrictEqual([keyOf(first), keyOf(second)], ["AKID0", "AKID1"])
      assert.deepStrictEqual(asked, [false, true])
      assert.strictEqual(server.sessions.size, 1)
    })
  )

  it.effect("for the second time are refused for good", () =>
    Effect.gen(function* () {
      const { credentials, given } = provider(60, 60, 60)
      const server = yield* Server.make({ answers: [refusal("ExpiredTokenException")] })
      const error = yield* Effect.flip(Effect.scoped(dial(server.url, { credentials })))
      assert.deepStrictEqual([error.reason._tag, error.reason.code], ["Auth", "ExpiredTokenException"])
      assert.strictEqual(given(), 1)
      yield* server.empty
    })
  )

  it.effect("are not tried again when there are no others", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: [refusal("ExpiredTokenException"), "accept"] })
      const error = yield* Effect.flip(Effect.scoped(dial(server.url, { credentials: keys })))
      assert.strictEqual(error.reason._tag, "Auth")
      yield* server.empty
    })
  )

  it.effect("in the middle of a talk end the connection, and the next one has newer keys", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const { credentials } = provider(60, 60)
      const { connect } = yield* NovaSonic.make({ endpoint: server.url, region: "us-east-1", credentials })
      const setup = { instructions: undefined, tools: [], resume: undefined }
      const connection = yield* connect(setup)
      const reader = yield* read(connection)
      const peer = yield* server.accept
      peer.raise("expiredTokenException", "expired")
      assert.strictEqual((yield* reader.end).reason._tag, "SessionExpired")
      yield* connect(setup)
      assert.strictEqual(keyOf(yield* server.accept), "AKID1")
    })
  )
})

describe("an Effect that gives the keys", () => {
  /** Other keys each time, which last for that many minutes. */
  const rotating = (life?: number) => {
    let asked = 0
    const credentials = Effect.sync(() => ({
      accessKeyId: Redacted.make(`AKID${asked++}`),
      secretAccessKey: Redacted.make(KEY.secret),
      ...(life === undefined ? {} : { expiration: new Date(NOW + minutes(life)) })
    }))
    return { credentials, asked: () => asked }
  }

  it.effect("is run anew for every connection, and for nothing else", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const { asked, credentials } = rotating()
      const { connect } = yield* model(server.url, { credentials })
      assert.strictEqual(asked(), 0)
      for (let i = 0; i < 3; i++) yield* connect(setup)
      const found = [yield* server.accept, yield* server.accept, yield* server.accept]
      assert.deepStrictEqual(found.map(keyOf), ["AKID0", "AKID1", "AKID2"])
    })
  )

  it.effect("says when the keys end", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const { asked, credentials } = rotating(4)
      const { connection } = yield* begun({ credentials })
      assert.strictEqual(connection.expiresAt, NOW + minutes(2))
      assert.strictEqual(asked(), 1)
    })
  )

  it.effect("is run once more when what it gave is refused as expired", () =>
    Effect.gen(function* () {
      const refusal = { status: 403, headers: { "x-amzn-errortype": "ExpiredTokenException" }, body: "{}" }
      const server = yield* Server.make({ answers: [refusal, "accept"] })
      yield* dial(server.url, { credentials: rotating().credentials })
      assert.deepStrictEqual([keyOf(yield* server.accept), keyOf(yield* server.accept)], ["AKID0", "AKID1"])
    })
  )

  it.effect("fails the connection as it fails, and tells nothing it should not", () =>
    Effect.gen(function* () {
      const reason = new RateLimited({ message: "the vault is busy" })
      const busy = Effect.fail(new BidiError({ reason }))
      const error = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1", { credentials: busy })))
      assert.strictEqual(error.reason, reason)
      const other = Effect.fail({ message: KEY.secret })
      const lost = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1", { credentials: other })))
      assert.strictEqual(lost.reason._tag, "ConnectionLost")
      assert.notInclude(lost.message, KEY.secret)
    })
  )

  it.effect("whose keys are no keys is told as such", () =>
    Effect.gen(function* () {
      const credentials = Effect.succeed({ accessKeyId: "AKID" }) as never
      const error = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1", { credentials })))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
      assert.include(error.message, "credentials.accessKeyId")
      assert.notInclude(error.message, 'AKID"')
    })
  )
})

describe("the chain of the AWS SDK", () => {
  it.effect("has nothing, and says so", () =>
    Effect.gen(function* () {
      yield* environment()
      const error = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1", { credentials: undefined })))
      assert.strictEqual(error.reason._tag, "Auth")
      assert.strictEqual(error.reason.code, "CredentialsProviderError")
      assert.include(error.message, "there are no credentials")
    })
  )

  it.effect("has a profile, with its region, its keys and a process that knows them", () =>
    Effect.gen(function* () {
      const directory = mkdtempSync(join(tmpdir(), "bedrock-"))
      const identity = JSON.stringify({ Version: 1, AccessKeyId: "AKIDPROCESS", SecretAccessKey: KEY.secret })
      const script = join(directory, "identity.cjs")
      writeFileSync(script, `process.stdout.write(${JSON.stringify(identity)})`)
      const config = join(directory, "config")
      writeFileSync(
        config,
        `[profile work]\nregion = sa-east-1\ncredential_process = "${process.execPath}" "${script}"\n`
      )
      yield* environment({ AWS_CONFIG_FILE: config })
      const server = yield* Server.make()
      yield* dial(server.url, { credentials: undefined, region: undefined, profile: "work" })
      const { headers } = yield* server.accept
      assert.match(String(headers.authorization), /Credential=AKIDPROCESS\/\d+\/sa-east-1\//)
    })
  )

  it.effect("does not take the API key in the environment for one that was meant", () =>
    Effect.gen(function* () {
      yield* environment({ AWS_BEARER_TOKEN_BEDROCK: "somebody-elses" })
      const { peer } = yield* ready()
      assert.strictEqual(keyOf(peer), KEY.id)
    })
  )
})

describe("an API key", () => {
  const bearerToken = Redacted.make("bedrock-api-key-1")

  it.effect("is shown instead of credentials, and needs none", () =>
    Effect.gen(function* () {
      yield* environment()
      const { connection, peer } = yield* begun({ bearerToken })
      assert.strictEqual(peer.headers.authorization, "Bearer bedrock-api-key-1")
      yield* connection.seed([])
      yield* peer.sound
    })
  )

  it.effect("that is refused comes with advice", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: [{ status: 403, body: '{"message":"no bedrock-api-key-1"}' }] })
      const error = yield* Effect.flip(Effect.scoped(dial(server.url, { bearerToken })))
      assert.strictEqual(error.reason._tag, "Auth")
      assert.include(error.message, "AWS does not take API keys for bidirectional streams")
      assert.notInclude(JSON.stringify(error) + error.message, "bedrock-api-key-1")
    })
  )
})
