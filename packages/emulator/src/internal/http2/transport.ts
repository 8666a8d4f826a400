/**
 * A stream of HTTP/2 that carries an event stream, as a wire.
 */
import { constants } from "node:http2"
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2"
import type { Socket } from "node:net"
import type { WireEvent } from "../session/machine.ts"
import type { Incoming, Wire } from "../server/transport.ts"
import { Corrupt, nothing, prelude, split } from "../eventstream/message.ts"
import type { Message } from "../eventstream/message.ts"

/** How a provider writes its messages and reads those of its clients. */
export interface Codec {
  readonly encode: (event: WireEvent) => Buffer
  /** Text that need not be JSON, in the place of an event. */
  readonly encodeText: (text: string) => Buffer
  readonly decode: (message: Message) => Incoming
}

export interface Options {
  readonly stream: ServerHttp2Stream
  readonly socket: Socket
  readonly codec: Codec
  /** Headers of the response. */
  readonly headers: OutgoingHttpHeaders
  /** Whether the headers go out before there is an event. */
  readonly isEager: boolean
  /** Bytes of the longest message that is read. */
  readonly maxPayload: number
}

/** The wire over an accepted request. */
export const makeWire = ({ codec, headers, isEager, maxPayload, socket, stream }: Options): Wire => {
  let rest = nothing
  const { session } = stream
  let isLeaving = false
  const respond = (): void => {
    if (!stream.headersSent) stream.respond({ ":status": 200, ...headers })
  }
  const write = (bytes: Buffer): void => {
    respond()
    stream.write(bytes)
  }
  /** All that was written goes out first; then the client need not send any more. */
  const finish = (): void => {
    respond()
    stream.end()
    stream.resume()
    if (stream.writableFinished) stream.close()
    else stream.once("finish", () => setImmediate(() => stream.close()))
  }
  return {
    open: ({ closed, message }) => {
      stream.on("data", (chunk: Buffer) => {
        const [left, messages] = split(rest, chunk, maxPayload)
        rest = left
        for (const one of messages) {
          message(
            one instanceof Corrupt
              ? { shown: { corrupt: one.reason }, input: { _tag: "Unreadable", reason: one.reason } }
              : codec.decode(one)
          )
        }
      })
      stream.on("end", () => message({ shown: undefined, input: { _tag: "Ended" } }))
      // a listener for data lets it flow
      stream.pause()
      const onClose = (): void => {
        closed(stream.rstCode ?? 0, socket.destroyed ? "the socket is gone" : "")
        // who has told its client to go has nothing more to do; and such a session may be blind to a client that goes
        if (isLeaving) setImmediate(() => session?.destroy())
      }
      if (stream.closed && stream.destroyed) onClose()
      else stream.once("close", onClose)
    },
    isOpen: () => !stream.closed && !stream.destroyed && !stream.writableEnded,
    greet: () => {
      if (isEager) respond()
    },
    send: (event) => write(codec.encode(event)),
    garble: (text) => {
      if (text !== undefined) {
        write(codec.encodeText(text))
        return text
      }
      const bytes = codec.encodeText("{}")
      bytes.writeUInt32BE((bytes.readUInt32BE(bytes.length - 4) ^ 1) >>> 0, bytes.length - 4)
      write(bytes)
      return { corrupt: "a frame with a wrong checksum" }
    },
    // this wire has no codes to close with, but for those of a reset
    close: finish,
    finish,
    drop: () => socket.destroy(),
    dispose: () => void stream.destroy(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    ping: () => void stream.session?.ping(() => {}),
    suffer: (fault) => {
      switch (fault._tag) {
        case "ResetStream":
          stream.close(fault.code)
          // what was written and has not left would keep the stream, and the session blind to a client that goes
          stream.destroy()
          return "over"
        case "TruncateFrame": {
          const bytes = codec.encodeText('{"event":{"audioOutput":{}}}')
          write(bytes.subarray(0, bytes.length / 2))
          finish()
          return "over"
        }
        case "WrongLength":
          write(prelude(fault.bytes, 0))
          return "on"
        case "GoAway":
          isLeaving = true
          stream.session?.goaway(fault.code ?? constants.NGHTTP2_NO_ERROR, stream.id ?? 0)
          return "on"
      }
    }
  }
}
