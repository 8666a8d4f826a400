/**
 * What stands between an application and a provider: a proxy that makes tunnels (CONNECT), and TLS in front of a server
 * that has none. Both on loopback, over real sockets.
 */
import type * as BidiConformance from "@effect-bidi/core/BidiConformance"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { BidiModel } from "@effect-bidi/core/BidiModel"
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HttpsProxyAgent } from "https-proxy-agent"
import { createServer } from "node:http"
import * as net from "node:net"
import * as tls from "node:tls"

/** For `localhost`, for tests, signed by itself. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBsTCCAVagAwIBAgIUVN7RZnGGUJaMrqJCQY8Dpe1TfYowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzA2MjU1MloYDzIxMjYxMTAz
MDYyNTUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASBM3CVpOwSjJtXEZl1bO6c9UjvOO40eCt+Lrg58PMybb+ni+ZOhJyB
+wmIXuI70c0dkO5N5w5rwp3J00hcSDeGo4GDMIGAMB0GA1UdDgQWBBTzkY7hocvP
JEnUusQ2VduYOLMcXjAfBgNVHSMEGDAWgBTzkY7hocvPJEnUusQ2VduYOLMcXjAP
BgNVHRMBAf8EBTADAQH/MC0GA1UdEQQmMCSCCWxvY2FsaG9zdIIRZXhhbXBsZS5s
b2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAK1zrT+sOG1xGh4IKp+r
QjNQKpLMbCYoRM3g5oeBGm5BAiEA9y33qIFU3zRYE4Q+koXVn4oYAQ1BANJug1YM
uHDyVl4=
-----END CERTIFICATE-----`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgswF5bMQkWExNX+1Y
HdE+Or3pUKFr4ipkS7GID6o3iXuhRANCAASBM3CVpOwSjJtXEZl1bO6c9UjvOO40
eCt+Lrg58PMybb+ni+ZOhJyB+wmIXuI70c0dkO5N5w5rwp3J00hcSDeG
-----END PRIVATE KEY-----`

/** Everything in this process trusts it from now on. */
export const trust = Effect.sync(() => tls.setDefaultCACertificates([...tls.getCACertificates("default"), CERTIFICATE]))

const listening = (server: net.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as net.AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

const join = (one: net.Socket, other: net.Socket) => {
  for (const [from, to] of [
    [one, other],
    [other, one]
  ] as const) {
    from.pipe(to)
    from.on("error", () => to.destroy())
    from.on("close", () => to.destroy())
  }
}

/** TLS in front of a server of this machine: the address to use instead of `url`. */
export const secured = Effect.fnUntraced(function* (url: string, protocols: ReadonlyArray<string>) {
  yield* trust
  const behind = Number(new URL(url).port)
  const server = tls.createServer({ cert: CERTIFICATE, key: KEY, ALPNProtocols: [...protocols] }, (socket) =>
    join(socket, net.connect({ host: "127.0.0.1", port: behind }))
  )
  server.on("tlsClientError", () => {})
  const port = yield* listening(server)
  const { pathname } = new URL(url)
  return `https://localhost:${port}${pathname === "/" ? "" : pathname}`
})

export interface Proxy {
  readonly url: string
  /** The hosts, with ports, that were asked for. */
  readonly asked: ReadonlyArray<string>
  /** How many tunnels are open. */
  readonly open: () => number
}

/** A proxy; with `refuses` it answers every request with this status, or with `never` not at all. */
export const proxy = Effect.fnUntraced(function* (options: { readonly refuses?: number | "never" } = {}) {
  const asked: Array<string> = []
  const sockets = new Set<net.Socket>()
  const server = createServer()
  server.on("connect", (request, socket: net.Socket, head) => {
    asked.push(request.url ?? "")
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    if (options.refuses === "never") return void socket.on("end", () => socket.end()).resume()
    if (options.refuses !== undefined) {
      socket.end(`HTTP/1.1 ${options.refuses} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const target = net.connect({ host: hostname === "localhost" ? "127.0.0.1" : hostname, port: Number(port) }, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
      target.write(head)
      join(socket, target)
    })
    target.on("error", () => socket.destroy())
  })
  const port = yield* listening(server)
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
  return { url: `http://127.0.0.1:${port}`, asked, open: () => sockets.size } satisfies Proxy
})

/** As an application makes it. */
export const agentTo = ({ url }: Proxy) => new HttpsProxyAgent(url)

/** The variables of the environment, as they would be. */
export const environment = (variables: Record<string, string>) =>
  ConfigProvider.layer(ConfigProvider.fromUnknown(variables))

/** What conformance is shown: a server of this machine, TLS in front of it, and a proxy before that. */
export const proxied =
  (
    url: string,
    protocols: ReadonlyArray<string>,
    adapter: (url: string) => {
      readonly layer: Layer.Layer<BidiModel, BidiError | Config.ConfigError>
      readonly variables: Record<string, string>
    }
  ): NonNullable<BidiConformance.Lab["proxied"]> =>
  (refuses) =>
    Effect.gen(function* () {
      const { layer, variables } = adapter(yield* secured(url, protocols))
      const { asked, open, url: way } = yield* proxy(refuses === undefined ? {} : { refuses })
      return {
        model: Layer.orDie(Layer.provide(layer, environment({ ...variables, HTTPS_PROXY: way }))),
        tunnels: () => asked.length,
        open
      }
    })
