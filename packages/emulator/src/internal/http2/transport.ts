/**
 * A stream of HTTP/2 that carries an event stream, as a transport.
 */
import { constants } from "node:http2"
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2"
import type { Socket } from "node:net"
import type { WireEvent } from "../session/machine.ts"
import type { Incoming, Transport } from "../server/transport.ts"
import { Corrupt, nothing, prelude, split } from "../eventstream/message.ts"
import type { Message } from "../eventstream/message.ts"

/** How messages are encoded and decoded. */
export interface Codec {
  readonly encode: (event: WireEvent) => Buffer
  /** Encodes text in the place of an event. It need not be JSON. */
  readonly encodeText: (text: string) => Buffer
  readonly decode: (message: Message) => Incoming
}

export interface Options {
  readonly stream: ServerHttp2Stream
  readonly socket: Socket
  readonly codec: Codec
  /** Headers of the response. */
  readonly headers: OutgoingHttpHeaders
  /** Whether the headers are sent before the first event. */
  readonly isEager: boolean
  /** The size limit of a message in bytes. */
  readonly maxPayload: number
}

/** The transport over an accepted request. */
export const makeTransport = ({ codec, headers, isEager, maxPayload, socket, stream }: Options): Transport => {
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
  /** Sends what was written, then ends the stream; the rest of the request is discarded. */
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
      // adding a listener for data resumes the stream
      stream.pause()
      const onClose = (): void => {
        closed(stream.rstCode ?? 0, socket.destroyed ? "the socket is gone" : "")
        // after GOAWAY the session may not notice that its client leaves
        if (isLeaving) setImmediate(() => session?.destroy())
      }
      if (stream.closed && stream.destroyed) onClose()
      else stream.once("close", onClose)
    },
    isOpen: () => !stream.closed && !stream.destroyed && !stream.writableEnded,
    accept: () => {
      if (isEager) respond()
    },
    send: (event) => write(codec.encode(event)),
    sendMalformed: (text) => {
      if (text !== undefined) {
        write(codec.encodeText(text))
        return text
      }
      const bytes = codec.encodeText("{}")
      bytes.writeUInt32BE((bytes.readUInt32BE(bytes.length - 4) ^ 1) >>> 0, bytes.length - 4)
      write(bytes)
      return { corrupt: "a frame with a wrong checksum" }
    },
    // HTTP/2 has no close codes except those of a reset
    close: finish,
    finish,
    drop: () => socket.destroy(),
    dispose: () => void stream.destroy(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    ping: () => void stream.session?.ping(() => {}),
    applyFault: (fault) => {
      switch (fault._tag) {
        case "ResetStream":
          stream.close(fault.code)
          // unsent data would keep the stream open, and the session would not notice that its client leaves
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
