/**
 * Cutting text by its bytes, never inside a character.
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

export const bytes = (text: string): number => encoder.encode(text).length

/** Pieces of at most `size` bytes of UTF-8, cut after a space where there is one in the second half. */
export const pieces = (text: string, size: number): ReadonlyArray<string> => {
  const encoded = encoder.encode(text)
  const found: Array<string> = []
  let start = 0
  while (encoded.length - start > size) {
    let end = start + size
    while (isContinuation(encoded[end]!)) end--
    const space = encoded.lastIndexOf(SPACE, end - 1) + 1
    if (space > start + size / 2) end = space
    found.push(decoder.decode(encoded.subarray(start, end)))
    start = end
  }
  return [...found, decoder.decode(encoded.subarray(start))]
}

/** The longest end of a text that has at most `size` bytes. */
export const tail = (text: string, size: number): string => {
  const encoded = encoder.encode(text)
  let start = Math.max(0, encoded.length - size)
  while (start < encoded.length && isContinuation(encoded[start]!)) start++
  return decoder.decode(encoded.subarray(start))
}

const SPACE = 0x20

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80
