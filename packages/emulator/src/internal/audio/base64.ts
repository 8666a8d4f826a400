/**
 * Strict base64: the standard alphabet with padding.
 */

/** The bytes, or `undefined` when the text is not base64. */
export const decode = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, "base64")
  // Buffer skips what it does not know; encoding again is the strict check, and linear
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined
}

/** The bytes as text. */
export const encode = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
