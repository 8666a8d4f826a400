/**
 * A session id as the name of a file, on any disk: different ids have different names, even where case does not count, and no
 * name leaves its folder.
 */
export const escapeId = (sessionId: string): string =>
  Array.from(new TextEncoder().encode(sessionId), (byte) => {
    const character = String.fromCharCode(byte)
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`
  }).join("")
