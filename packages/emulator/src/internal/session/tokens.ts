/**
 * Estimated token counts.
 */

export interface Tokens {
  readonly text: number
  readonly audio: number
  readonly image: number
}

export const none: Tokens = { text: 0, audio: 0, image: 0 }

export const plus = (a: Tokens, b: Tokens): Tokens => ({
  text: a.text + b.text,
  audio: a.audio + b.audio,
  image: a.image + b.image
})

/** Sum of all kinds. */
export const sum = ({ audio, image, text }: Tokens): number => text + audio + image

/** About four characters a token. */
export const ofText = (text: string): Tokens => ({ ...none, text: Math.ceil(text.length / 4) })
