/**
 * Makes text from elsewhere harmless for a terminal. A control character becomes a visible sign, so that nobody can change
 * the title or the screen by what is said; so do the marks that change the direction of the text behind them, which would
 * show a line in another order than it has. Line feeds and tabs stay.
 */
export const harmless = (text: string): string => text.replace(CONTROL, sign)

const CONTROL = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu

// U+2400 and on are pictures of the first 32, U+2421 is that of delete; those from U+0080 on, and the marks, have none
const sign = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd"
}
