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

/** The longest beginning of a text that has at most `size` bytes. */
export const head = (text: string, size: number): string => {
  const encoded = encoder.encode(text)
  let end = Math.min(encoded.length, size)
  while (end > 0 && end < encoded.length && isContinuation(encoded[end]!)) end--
  return decoder.decode(encoded.subarray(0, end))
}

/** A text of at most `size` bytes: its beginning and its end, and between them how much is left out. */
export const shorten = (text: string, size: number): string => {
  const length = bytes(text)
  if (length <= size) return text
  // the number has no more digits than that of all
  const half = Math.floor((size - bytes(mark(length))) / 2)
  const [beginning, end] = [head(text, half), tail(text, half)]
  return `${beginning}${mark(length - bytes(beginning) - bytes(end))}${end}`
}

const mark = (left: number): string => ` [… ${left} bytes left out …] `

const SPACE = 0x20

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80
