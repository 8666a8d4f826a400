/**
 * How connections reach a provider, for the author of an adapter: through an agent that the application gives, through the
 * proxy that the configuration names, or directly.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Agent } from "node:http"
import { BidiError, InvalidRequest } from "../BidiError.ts"

/**
 * How an application wants connections to be made: by an `http.Agent`, such as `HttpsProxyAgent` of `https-proxy-agent`, or
 * by a function that gives one for a URL, or `undefined` for a direct connection.
 *
 * @category models
 * @since 0.1.0
 */
export type AgentOption = Agent | ((url: URL) => Agent | undefined)

const isAgent = (value: unknown): value is Agent =>
  typeof value === "object" && value !== null && "addRequest" in value && typeof value.addRequest === "function"

/**
 * An {@link AgentOption}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AgentOption = Schema.declare(
  (value): value is AgentOption => isAgent(value) || typeof value === "function",
  { expected: "an http.Agent, or a function that gives one for a URL" }
)

/**
 * Returns the agent for a URL, if there is to be one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const agentFor = (option: AgentOption | undefined, url: URL): Agent | undefined =>
  typeof option === "function" ? option(url) : option

/**
 * Whether a list as in `NO_PROXY` names the host of a URL: itself, a domain it is in, or one of them with its port; or `*`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const isExempt = (url: URL, list: string): boolean => {
  const host = bare(url.hostname.toLowerCase())
  const port = url.port === "" ? (isSecure(url) ? "443" : "80") : url.port
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "*") return true
      const { domain, only } = parts(entry)
      if (domain === "" || (only !== undefined && only !== port)) return false
      return host === domain || host.endsWith(`.${domain}`)
    })
}

// `example.com`, `.example.com`, `*.example.com`, each with or without a port; `::1`, `[::1]:443`
const parts = (entry: string) => {
  const [, name = entry, only] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  return { domain: bare(name.replace(/^\*?\./, "")), only }
}

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, "$1")

const isSecure = ({ protocol }: URL): boolean => protocol === "https:" || protocol === "wss:"

const named = (name: string) => Config.option(Config.String(name))

const filled = (values: ReadonlyArray<Option.Option<string>>): string | undefined =>
  values.flatMap((value) => (Option.isSome(value) && value.value.trim() !== "" ? [value.value.trim()] : [])).at(0)

const variable = (name: string) => Config.map(Config.all([named(name), named(name.toLowerCase())]), filled)

const variables = Config.all({ proxy: variable("HTTPS_PROXY"), exempt: variable("NO_PROXY") })

/**
 * How the configuration wants connections to be made: `HTTPS_PROXY` for addresses with TLS, but for those in `NO_PROXY`
 * ({@link isExempt}); the names in small letters too. Fails with `InvalidRequest`
 * where `HTTPS_PROXY` is not the address of an HTTP proxy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromConfig: Effect.Effect<(url: URL) => Agent | undefined, BidiError | Config.ConfigError> = Effect.gen(
  function* () {
    const { exempt = "", proxy } = yield* variables
    if (proxy === undefined) return () => undefined
    const address = /^[a-z0-9+.-]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
      // it may hold a password: it is not quoted
      const message = "HTTPS_PROXY: expected the address of an HTTP proxy, such as http://proxy:3128"
      return yield* new BidiError({ reason: new InvalidRequest({ message, option: "HTTPS_PROXY" }) })
    }
    const agent = yield* Effect.promise(() => agentTo(url))
    return (to: URL) => (isSecure(to) && !isExempt(to, exempt) ? agent : undefined)
  }
)

// The package comes with the first proxy that is named: nobody else waits for it. It does not let go of a proxy that does
// not answer, when the request is given up meanwhile: that is added.
const agentTo = async (proxy: URL): Promise<Agent> => {
  const { HttpsProxyAgent } = await import("https-proxy-agent")
  return new (class extends HttpsProxyAgent<string> {
    private readonly to = this.connectOpts

    override async connect(...[request, options]: Parameters<InstanceType<typeof HttpsProxyAgent<string>>["connect"]>) {
      const givenUp = new AbortController()
      const giveUp = () => givenUp.abort()
      request.once("abort", giveUp).once("close", giveUp)
      try {
        // read before anything is waited for
        this.connectOpts = { ...this.to, signal: givenUp.signal }
        return await super.connect(request, options)
      } finally {
        request.off("abort", giveUp).off("close", giveUp)
      }
    }
  })(proxy)
}
