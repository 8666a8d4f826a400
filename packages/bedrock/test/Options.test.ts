import { assert, describe, it } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { NovaSonic } from "../src/index.ts"
import { environment } from "./support/environment.ts"
import { KEY, keys, setup } from "./support/line.ts"
import * as Server from "./support/server.ts"

const make = (options: object) => NovaSonic.make({ region: "us-east-1", credentials: keys, ...options })

const secrets = [KEY.secret, KEY.token, KEY.id]

describe("options", () => {
  const wrong: ReadonlyArray<readonly [option: string, options: object, message?: RegExp]> = [
    ["speed", { speed: 1 }, /There is no such option/],
    ["inference.topK", { inference: { topK: 1 } }, /There is no such option/],
    ["credentials", { credentials: { ...keys, more: 1 } }],
    ["model", { model: "" }],
    ["voice", { voice: "tifany" }],
    ["voice", { voice: {} }],
    ["input.sampleRate", { input: Audio.pcm(44_100) }, /8000, 16000, 24000 Hz, got 44100/],
    ["output.sampleRate", { output: Audio.pcm(48_000) }, /8000, 16000, 24000 Hz, got 48000/],
    ["input.encoding", { input: { encoding: "pcmu", sampleRate: 8000, channels: 1 } }, /Expected pcm/],
    ["output.channels", { output: { encoding: "pcm", sampleRate: 8000, channels: 2 } }, /Expected 1 channel/],
    ["input.encoding", { input: { encoding: "opus", sampleRate: 8000, channels: 1 } }, /"pcm"/],
    ["inference.maxTokens", { inference: { maxTokens: 0 } }],
    ["inference.topP", { inference: { topP: 1.1 } }, /between 0 and 1/],
    ["inference.temperature", { inference: { temperature: -1 } }, /between 0 and 1/],
    ["endpointing", { endpointing: "high" }, /"HIGH" \| "MEDIUM" \| "LOW"/],
    ["toolChoice", { toolChoice: "none" }, /"auto" \| "any"/],
    ["region", { region: "Frankfurt" }, /us-east-1/],
    ["region", { region: "evil.example/" }],
    ["profile", { profile: "" }],
    ["endpoint", { endpoint: "bedrock.example" }, /Expected a URL/],
    ["endpoint", { endpoint: "ftp://bedrock.example" }, /Expected a URL with http or https/],
    ["credentials.accessKeyId", { credentials: { ...keys, accessKeyId: KEY.id } }],
    ["credentials.secretAccessKey", { credentials: { accessKeyId: keys.accessKeyId } }],
    ["credentials", { credentials: KEY.secret }],
    ["bearerToken", { credentials: undefined, bearerToken: KEY.secret }],
    ["bearerToken", { bearerToken: Redacted.make(KEY.secret) }, /either bearerToken or credentials/]
  ]

  it.effect.each(wrong)("that are wrong are named: %s in %j", ([option, options, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make(options))
      assert(error.reason._tag === "InvalidRequest")
      assert.isTrue(error.reason.option?.startsWith(option), `${error.reason.option}: ${error.message}`)
      assert.isTrue(error.reason.message.startsWith(`${error.reason.option}: `), error.reason.message)
      if (message !== undefined) assert.match(error.message, message)
      for (const secret of secrets) assert.notInclude(JSON.stringify(error) + error.message, secret)
    })
  )

  it.effect("cannot be both, or have characters that would break a header", () =>
    Effect.gen(function* () {
      const bearerToken = Redacted.make(`${KEY.secret}\nx`)
      const error = yield* Effect.flip(NovaSonic.make({ region: "us-east-1", bearerToken }))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
      assert.notInclude(JSON.stringify(error) + error.message, KEY.secret)
    })
  )

  const right: ReadonlyArray<object> = [
    {},
    { model: "amazon.nova-3-sonic-v1:0", voice: { id: "somebody" }, region: "us-gov-west-1", profile: "work" },
    { input: Audio.pcm(8000), output: Audio.pcm(16_000), voice: "tiffany", endpointing: "HIGH" },
    { inference: { maxTokens: 1, topP: 0, temperature: 1 }, toolChoice: { tool: "weather" } },
    { endpoint: "https://bedrock.example/proxy", toolChoice: "any" },
    { credentials: { ...keys, expiration: new Date() } },
    { credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) }
  ]

  it.effect.each(right)("that are right are taken: %j", (options) => make(options))

  it.effect("have defaults", () =>
    Effect.gen(function* () {
      const { connect: _, ...model } = yield* make({})
      assert.deepStrictEqual(model, {
        provider: "bedrock",
        model: "amazon.nova-2-sonic-v1:0",
        input: Audio.pcm(16_000),
        output: Audio.pcm(24_000),
        capabilities: {
          truncation: false,
          images: false,
          manualTurns: false,
          resumption: false,
          overlap: true,
          midSessionUpdate: false
        },
        limits: {
          maxDuration: Duration.minutes(8),
          renewAfter: Duration.minutes(7),
          renewBefore: Duration.minutes(1),
          history: 40_000
        }
      })
    })
  )

  it.effect("show before connecting that there are no pictures", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const agent = yield* BidiAgent.make({}).pipe(
        Effect.provide(NovaSonic.layer({ region: "us-east-1", credentials: keys, endpoint: server.url }))
      )
      const call = yield* agent.start()
      const image = { _tag: "ImageInput", image: Uint8Array.of(1), mimeType: "image/png" } as const
      const error = yield* Effect.flip(call.send(["What is this?", image]))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.include(error.message, "does not accept images")
    })
  )

  it.effect.each([
    ["any", /at least one tool/],
    [{ tool: "weather" }, /Expected one of the tools: there are none/]
  ] as const)("that demand a tool fail where there is none: %j", ([toolChoice, message]) =>
    Effect.gen(function* () {
      const { connect } = yield* make({ toolChoice, endpoint: "http://127.0.0.1:1" })
      const error = yield* Effect.flip(Effect.scoped(connect(setup)))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "toolChoice")
      assert.match(error.message, message)
    })
  )
})

describe("the region", () => {
  it.effect("is that of the AWS SDK where none is given", () =>
    Effect.gen(function* () {
      yield* environment({ AWS_REGION: "eu-north-1" })
      yield* NovaSonic.make({ credentials: keys })
    })
  )

  it.effect("has to come from somewhere", () =>
    Effect.gen(function* () {
      yield* environment()
      const error = yield* Effect.flip(NovaSonic.make({ credentials: keys }))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "region")
      assert.include(error.message, "set AWS_REGION")
    })
  )
})

describe("the configuration", () => {
  /** What arrives at the server when a model with this configuration connects. */
  const request = Effect.fnUntraced(function* (
    values: (url: string) => Record<string, string>,
    options: (url: string) => NovaSonic.Options = () => ({})
  ) {
    const server = yield* Server.make()
    yield* environment({ AWS_ACCESS_KEY_ID: KEY.id, AWS_SECRET_ACCESS_KEY: KEY.secret })
    const config = ConfigProvider.layer(ConfigProvider.fromEnvRecord(values(server.url)))
    const layer = Layer.provide(NovaSonic.layerFromEnv(options(server.url)), config)
    yield* BidiModel.use((model) => model.connect(setup)).pipe(Effect.provide(layer), Effect.forkScoped)
    const { headers } = yield* server.accept
    return String(headers.authorization)
  })

  it.effect("has the region and the endpoint; the credentials are those of the chain", () =>
    Effect.gen(function* () {
      const authorization = yield* request((url) => ({
        AWS_REGION: "ap-northeast-1",
        AWS_DEFAULT_REGION: "eu-north-1",
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url
      }))
      assert.include(authorization, `Credential=${KEY.id}/`)
      assert.include(authorization, "/ap-northeast-1/bedrock/")
    })
  )

  it.effect("knows the region by its other name", () =>
    Effect.gen(function* () {
      const authorization = yield* request((url) => ({
        AWS_REGION: "",
        AWS_DEFAULT_REGION: "eu-north-1",
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url
      }))
      assert.include(authorization, "/eu-north-1/bedrock/")
    })
  )

  it.effect("gives way to the options", () =>
    Effect.gen(function* () {
      const authorization = yield* request(
        () => ({ AWS_REGION: "eu-north-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "http://127.0.0.1:1" }),
        (endpoint) => ({ region: "us-west-2", endpoint })
      )
      assert.include(authorization, "/us-west-2/bedrock/")
    })
  )

  it.effect("may have an API key, which goes before the chain", () =>
    Effect.gen(function* () {
      const values = (url: string) => ({
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url,
        AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-1"
      })
      assert.strictEqual(yield* request(values), "Bearer bedrock-api-key-1")
      const authorization = yield* request(values, () => ({ credentials: keys }))
      assert.include(authorization, `Credential=${KEY.id}/`)
    })
  )

  it.effect("does not hide what is wrong with the options", () =>
    Effect.gen(function* () {
      const config = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ AWS_REGION: "us-east-1" }))
      const layer = Layer.provide(NovaSonic.layerFromEnv({ inference: { topP: 3 } }), config)
      const error = yield* Effect.flip(Effect.provide(BidiModel, layer))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "inference.topP")
    })
  )

  it.effect("has options under names of one's own", () =>
    Effect.gen(function* () {
      const layer = NovaSonic.layerConfig({
        region: Config.String("VOICE_REGION"),
        inference: { topP: Config.Finite("VOICE_TOP_P") },
        credentials: { accessKeyId: Config.Redacted("VOICE_ID"), secretAccessKey: Config.Redacted("VOICE_SECRET") }
      })
      const made = (topP: string) => {
        const values = { VOICE_REGION: "us-west-2", VOICE_TOP_P: topP, VOICE_ID: "id", VOICE_SECRET: "secret" }
        return Effect.provide(
          BidiModel,
          Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(values)))
        )
      }
      assert.strictEqual((yield* made("0.5")).provider, "bedrock")
      const error = yield* Effect.flip(made("3"))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "inference.topP")
    })
  )
})
