/**
 * Authentication: a signature of the right shape, or a bearer token. The emulator knows no secret and verifies no signature.
 */
import type { Handshake } from "../server/transport.ts"

export type Caller =
  | { readonly _tag: "Signed"; readonly key: string }
  | { readonly _tag: "Bearer"; readonly key: string }
  | { readonly _tag: "Rejected"; readonly status: number; readonly error: string; readonly message: string }

const credential = /^([^/]+)\/(\d{8})\/([a-z0-9-]+)\/bedrock\/aws4_request$/

const incomplete = (message: string): Caller => ({
  _tag: "Rejected",
  status: 403,
  error: "IncompleteSignatureException",
  message
})

/** The caller, by its headers. */
export const callerOf = ({ headers }: Handshake): Caller => {
  const { authorization = "" } = headers
  const token = /^Bearer\s+(\S+)$/.exec(authorization)?.[1]
  if (token !== undefined) return { _tag: "Bearer", key: token }
  const signed = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(authorization)?.[1]
  if (signed === undefined) {
    return {
      _tag: "Rejected",
      status: 403,
      error: "MissingAuthenticationTokenException",
      message: "Missing Authentication Token"
    }
  }
  const parts = new Map(
    signed.split(/,\s*/).map((part) => {
      const at = part.indexOf("=")
      return [part.slice(0, at), part.slice(at + 1)] as const
    })
  )
  const scope = credential.exec(parts.get("Credential") ?? "")
  if (scope === null) return incomplete("Credential should be scoped to a valid region and to the service 'bedrock'.")
  const names = (parts.get("SignedHeaders") ?? "").split(";")
  for (const name of ["x-amz-date", "x-amz-content-sha256"]) {
    if (!names.includes(name)) return incomplete(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
  }
  if (!names.some((name) => name === "host" || name === ":authority")) {
    return incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  if (!/^[0-9a-f]{64}$/.test(parts.get("Signature") ?? "")) {
    return incomplete("Authorization header requires 'Signature' parameter.")
  }
  if (headers["x-amz-content-sha256"] !== "STREAMING-AWS4-HMAC-SHA256-EVENTS") {
    return incomplete("x-amz-content-sha256 must be STREAMING-AWS4-HMAC-SHA256-EVENTS.")
  }
  if (!/^\d{8}T\d{6}Z$/.test(String(headers["x-amz-date"] ?? ""))) {
    return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  }
  return { _tag: "Signed", key: scope[1]! }
}
