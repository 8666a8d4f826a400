/**
 * The flags of the program.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Fault from "../../Fault.ts"
import type { Offer } from "./providers.ts"

export const flags = {
  provider: Flag.Literals("provider", ["openai", "google", "bedrock"]).pipe(
    Flag.withDescription("Whose wire to speak: OpenAI Realtime, Gemini Live or Amazon Nova Sonic"),
    Flag.withDefault("openai")
  ),
  port: Flag.Int("port").pipe(Flag.withDescription("Port to listen on; 0 takes any free one"), Flag.withDefault(8790)),
  host: Flag.String("host").pipe(Flag.withDescription("Address to listen on"), Flag.withDefault("127.0.0.1")),
  speed: Flag.Finite("speed").pipe(
    Flag.filter(
      (speed) => speed > 0,
      () => "The speed must be more than 0"
    ),
    Flag.withDescription("How many times faster than real time replies are generated"),
    Flag.withDefault(8)
  ),
  sessionSeconds: Flag.Finite("session-seconds").pipe(
    Flag.filter(
      (seconds) => seconds > 0,
      () => "A session lasts more than 0 seconds"
    ),
    Flag.withDescription("How long a session may last; as long as the provider allows, by default"),
    Flag.optional
  ),
  voice: Flag.Literals("voice", ["auto", "tones", "espeak"]).pipe(
    Flag.withDescription("auto speaks through espeak-ng when it is on the PATH, else in tones"),
    Flag.withDefault("auto")
  ),
  key: Flag.String("key").pipe(
    Flag.withDescription("The only API key, or access key id, that is let in"),
    Flag.optional
  ),
  quiet: Flag.Boolean("quiet").pipe(Flag.withAlias("q"), Flag.withDescription("No trace"), Flag.withDefault(false)),
  refuse: Flag.Int("refuse").pipe(
    Flag.withDescription("Refuses every handshake with this HTTP status, such as 401, 429 or 503"),
    Flag.optional
  ),
  mute: Flag.Boolean("mute").pipe(Flag.withDescription("Accepts and never answers"), Flag.withDefault(false)),
  slowMs: Flag.Int("slow-ms").pipe(Flag.withDescription("Every server event is late by this much"), Flag.optional),
  dropAfter: Flag.Int("drop-after").pipe(
    Flag.withDescription("Drops every connection after this many pieces of sound, without a word"),
    Flag.optional
  ),
  closeAfter: Flag.Int("close-after").pipe(
    Flag.withDescription("Closes every connection after this many pieces of sound with --close-code"),
    Flag.optional
  ),
  closeCode: Flag.Int("close-code").pipe(
    Flag.withDescription("Code for --close-after: of a WebSocket (1011), or of a reset of HTTP/2 (2)"),
    Flag.optional
  ),
  stallAfter: Flag.Int("stall-after").pipe(
    Flag.withDescription("Stops reading and writing after this many pieces of sound"),
    Flag.optional
  )
}

export interface FaultFlags {
  readonly refuse: Option.Option<number>
  readonly mute: boolean
  readonly slowMs: Option.Option<number>
  readonly dropAfter: Option.Option<number>
  readonly closeAfter: Option.Option<number>
  readonly closeCode: Option.Option<number>
  readonly stallAfter: Option.Option<number>
}

/** The faults that the flags ask for, on the wire of that provider. */
export const faultsOf = (flags: FaultFlags, { close, sound }: Offer): ReadonlyArray<Fault.Fault> => {
  const afterSound = (count: number): Fault.Trigger => Fault.afterSent(sound, count)
  const all = [
    Option.map(flags.refuse, (status) => Fault.refuse(status, status === 429 ? { retryAfterSeconds: 1 } : {})),
    flags.mute ? Option.some(Fault.mute()) : Option.none(),
    Option.map(flags.slowMs, (ms) => Fault.slow(ms)),
    Option.map(flags.dropAfter, (count) => Fault.drop(afterSound(count))),
    Option.map(flags.closeAfter, (count) => close(Option.getOrUndefined(flags.closeCode), afterSound(count))),
    Option.map(flags.stallAfter, (count) => Fault.stall(afterSound(count)))
  ]
  return all.flatMap(Option.toArray<Fault.Fault>)
}
