/**
 * Amazon Nova Sonic for effect-bidi.
 *
 * @since 0.1.0
 */
export * as NovaSonic from "./NovaSonic.ts"
