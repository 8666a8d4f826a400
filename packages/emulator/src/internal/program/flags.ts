/**
 * The flags of the program.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Fault from "../../Fault.ts"
import type { Offer } from "./providers.ts"

export const flags = {
  provider: Flag.Literals("provider", ["openai", "google", "bedrock"]).pipe(
    Flag.withDescription("The API to emulate: OpenAI Realtime, Gemini Live or Amazon Nova Sonic"),
    Flag.withDefault("openai")
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("Port to listen on (8790); 0 takes a free one"),
    Flag.withDefault(8790)
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on (127.0.0.1)"),
    Flag.withDefault("127.0.0.1")
  ),
  speed: Flag.Finite("speed").pipe(
    Flag.filter(
      (speed) => speed > 0,
      () => "Expected a speed above 0"
    ),
    Flag.withDescription("How many times faster than real time replies are generated (8)"),
    Flag.withDefault(8)
  ),
  sessionSeconds: Flag.Finite("session-seconds").pipe(
    Flag.filter(
      (seconds) => seconds > 0,
      () => "Expected a time limit above 0"
    ),
    Flag.withDescription("The time limit of a session; by default that of the provider"),
    Flag.optional
  ),
  voice: Flag.Literals("voice", ["auto", "tones", "espeak"]).pipe(
    Flag.withDescription("auto is espeak-ng when it is on the PATH, otherwise tones"),
    Flag.withDefault("auto")
  ),
  key: Flag.String("key").pipe(
    Flag.withDescription("The only accepted API key or access key id; by default any that is not empty"),
    Flag.optional
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withDescription("Does not print messages"),
    Flag.withDefault(false)
  ),
  refuse: Flag.Int("refuse").pipe(
    Flag.withDescription("Refuses every handshake with this HTTP status, such as 401, 429 or 503"),
    Flag.optional
  ),
  mute: Flag.Boolean("mute").pipe(
    Flag.withDescription("Accepts connections and sends nothing"),
    Flag.withDefault(false)
  ),
  slowMs: Flag.Int("slow-ms").pipe(
    Flag.withDescription("Delays every server message by this many milliseconds"),
    Flag.optional
  ),
  dropAfter: Flag.Int("drop-after").pipe(
    Flag.withDescription("Destroys every connection after this many chunks of audio"),
    Flag.optional
  ),
  closeAfter: Flag.Int("close-after").pipe(
    Flag.withDescription("Closes every connection after this many chunks of audio, with --close-code"),
    Flag.optional
  ),
  closeCode: Flag.Int("close-code").pipe(
    Flag.withDescription("Code for --close-after: of the WebSocket (1011), or of the HTTP/2 reset (2)"),
    Flag.optional
  ),
  stallAfter: Flag.Int("stall-after").pipe(
    Flag.withDescription("Stops reading and writing after this many chunks of audio"),
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
