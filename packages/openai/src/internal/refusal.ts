/**
 * The answer to a handshake that was refused: its body says why.
 */
import type { IncomingMessage } from "node:http"

const BODY = 64 * 1024 // bytes that are read of it
const PATIENCE = 1000 // ms without another byte

/** Reads the body, or as much of it as comes. Answers at least once. */
export const readRefusal = (response: IncomingMessage, answer: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = () => answer(Buffer.concat(chunks).toString("utf8"))
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BODY) finish()
  })
  response.on("end", finish)
  response.on("error", finish)
  response.on("close", finish)
  response.setTimeout(PATIENCE, finish)
}
