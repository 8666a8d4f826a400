/**
 * Base64 of audio and pictures, as bytes that share no memory with anything that is used again.
 *
 * @since 0.1.0
 */

/**
 * Returns the base64 of bytes, without copying them first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")

/**
 * Returns the bytes of base64, as a plain `Uint8Array`: `slice` of a `Buffer` shares its memory.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (base64: string): Uint8Array => {
  const { buffer, byteOffset, length } = Buffer.from(base64, "base64")
  return new Uint8Array(buffer, byteOffset, length)
}
