/**
 * A server with as much of S3 as the store uses, after the documentation of its API: GetObject, ListObjectsV2, and PutObject
 * with `If-Match` and `If-None-Match` (412 where the condition does not hold). With `conditions: false` it ignores these, as
 * some services do.
 */
import { S3Client } from "@aws-sdk/client-s3"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

interface Stored {
  readonly body: Buffer
  readonly etag: string
}

const escape = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)

const error = (response: ServerResponse, status: number, code: string) =>
  response
    .writeHead(status, { "content-type": "application/xml" })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)

/** The body of a request, whose SDK may send it in signed chunks (`aws-chunked`). */
const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  if (!(request.headers["x-amz-content-sha256"] as string | undefined)?.startsWith("STREAMING")) return raw
  const parts: Array<Buffer> = []
  for (let at = 0; ;) {
    const end = raw.indexOf("\r\n", at)
    const size = Number.parseInt(raw.subarray(at, end).toString().split(";")[0]!, 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(raw.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

/** Returns the URL of a server that lives as long as the scope. */
export const server = ({ conditions = true, pageSize = 1000 } = {}) =>
  Effect.gen(function* () {
    const objects = new Map<string, Stored>()

    const list = (url: URL, response: ServerResponse) => {
      const after = url.searchParams.get("continuation-token") ?? ""
      const prefix = url.searchParams.get("prefix") ?? ""
      const keys = Array.from(objects.keys()).filter((key) => key.startsWith(prefix) && key > after)
      const page = keys.toSorted().slice(0, pageSize)
      const next =
        keys.length > page.length ? `<NextContinuationToken>${escape(page.at(-1)!)}</NextContinuationToken>` : ""
      response
        .writeHead(200, { "content-type": "application/xml" })
        .end(
          `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== ""}</IsTruncated>${next}${page
            .map((key) => `<Contents><Key>${escape(key)}</Key></Contents>`)
            .join("")}</ListBucketResult>`
        )
    }

    const put = async (key: string, request: IncomingMessage, response: ServerResponse) => {
      const body = await bodyOf(request)
      const there = objects.get(key)
      const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = request.headers
      const holds =
        (ifNoneMatch === undefined || there === undefined) && (ifMatch === undefined || ifMatch === there?.etag)
      if (conditions && !holds) return error(response, 412, "PreconditionFailed")
      const etag = `"${createHash("md5").update(body).digest("hex")}"`
      objects.set(key, { body, etag })
      return response.writeHead(200, { etag }).end()
    }

    const http = createServer((request, response) => {
      const url = new URL(request.url!, "http://s3")
      const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"))
      if (request.method === "PUT") return void put(key, request, response)
      if (key === "") return list(url, response)
      const object = objects.get(key)
      if (object === undefined) return error(response, 404, "NoSuchKey")
      response.writeHead(200, { etag: object.etag }).end(object.body)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        http.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          http.closeAllConnections()
          http.close(() => resume(Effect.void))
        })
    )
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  })

export const clientOf = (endpoint: string) =>
  new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: "none", secretAccessKey: "none" }
  })
