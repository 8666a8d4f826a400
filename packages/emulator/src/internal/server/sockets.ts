/**
 * A server on one address. When its scope closes, its sockets are destroyed.
 */
import * as Effect from "effect/Effect"
import type { AddressInfo, Server, Socket } from "node:net"
import { ListenError } from "../../Emulator.ts"
import type { Listener, Listening } from "./transport.ts"

/** Listens until the scope closes. */
export const listenOn = Effect.fnUntraced(function* (server: Server, { host, onSockets, port }: Listening) {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    onSockets()
    socket.on("close", () => {
      sockets.delete(socket)
      onSockets()
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void, ListenError>((resume) => {
      const fail = (error: Error) => resume(Effect.fail(new ListenError({ host, port, message: error.message })))
      server.once("error", fail)
      server.listen(port, host, () => {
        server.off("error", fail)
        server.on("error", () => {})
        resume(Effect.void)
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
  const listener: Listener = { port: (server.address() as AddressInfo).port, sockets: () => sockets.size }
  return listener
})
