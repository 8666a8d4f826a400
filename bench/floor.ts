/**
 * The floor: what nobody can do without who speaks this protocol in JavaScript. A bare `ws`, JSON and base64.
 */
import { WebSocket } from "ws"
import type { Caller } from "./caller.ts"
import { drive, type Microphone } from "./driver.ts"

const session = {
  type: "realtime",
  output_modalities: ["audio"],
  instructions: "You are a helpful voice assistant.",
  audio: {
    input: { format: { type: "audio/pcm", rate: 24_000 }, turn_detection: { type: "server_vad" } },
    output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin" }
  }
}

const open = (url: string, caller: Caller) =>
  new Promise<{ readonly socket: WebSocket; readonly microphone: Microphone }>((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/realtime?model=gpt-realtime-2.1`, {
      perMessageDeflate: false,
      maxPayload: 16 * 1024 * 1024
    })
    const microphone: Microphone = (frame) => {
      const audio = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString("base64")
      socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio }))
    }
    socket.on("error", reject)
    socket.on("message", (data) => {
      const event = JSON.parse(data.toString())
      switch (event.type) {
        case "response.output_audio.delta":
          return caller.play(Buffer.from(event.delta, "base64"))
        case "response.output_audio_transcript.delta":
          return caller.read(event.delta)
        case "session.created":
          return socket.send(JSON.stringify({ type: "session.update", session }))
        case "session.updated":
          return resolve({ socket, microphone })
      }
    })
  })

drive(async (url, callers) => {
  const opened = await Promise.all(callers.map((caller) => open(url, caller)))
  return {
    microphones: opened.map(({ microphone }) => microphone),
    close: async () => {
      for (const { socket } of opened) socket.terminate()
    }
  }
})
