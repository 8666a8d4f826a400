import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Assistant from "@effect-bidi/emulator/Assistant"
import { shortStory, story } from "../src/internal/assistant/story.ts"

const tool = (
  name: string,
  properties: object = {},
  description = "",
  required = Object.keys(properties)
): Assistant.Tool => ({
  name,
  description,
  parameters: { type: "object", properties, required }
})

const text = { type: "string" }
const clock = tool("current_time")
const calculator = tool("calculator", { expression: text })
const weather = tool("get_weather", { city: text })
const stop = tool("stop_conversation")
const kit = [clock, calculator, weather, stop]

const user = (text: string, images: ReadonlyArray<Assistant.Image> = []): Assistant.Turn => ({
  role: "user",
  text,
  images
})
const assistant = (text: string): Assistant.Turn => ({ role: "assistant", text })
const system = (text: string): Assistant.Turn => ({ role: "system", text })

const reply = (memory: ReadonlyArray<Assistant.Turn>, change: Partial<Assistant.Prompt> = {}): Assistant.Reply =>
  Assistant.reply({ memory, tools: kit, toolChoice: "auto", parallelCalls: true, request: undefined, ...change })

const saidTo = (said: string, tools: ReadonlyArray<Assistant.Tool> = []) => reply([user(said)], { tools }).text ?? ""

describe("memory", () => {
  it("knows what it was told, however long ago", () => {
    const memory = [
      user("My name is Ada."),
      assistant("Nice to meet you, Ada."),
      user("my favourite colour is dark blue"),
      assistant("Ok."),
      user("I live in Oslo"),
      assistant("Ok.")
    ]
    assert.strictEqual(reply([...memory, user("What is my name?")]).text, "Your name is Ada.")
    assert.strictEqual(
      reply([...memory, user("what's my favourite colour")]).text,
      "Your favourite colour is dark blue."
    )
    assert.strictEqual(reply([...memory, user("Where do I live?")]).text, "You live in Oslo.")
    assert.include(reply([...memory, user("what is my age?")]).text!, "not told me")
  })

  it("the newest word counts", () => {
    const memory = [
      user("my name is ada"),
      assistant("Hi."),
      user("call me Grace"),
      assistant("Hi."),
      user("what is my name")
    ]
    assert.strictEqual(reply(memory).text, "Your name is Grace.")
  })

  it("says again what was said", () => {
    const memory = [user("hello there"), assistant("Hello! Lovely day."), user("what did you just say?")]
    assert.strictEqual(reply(memory).text, "I said: Hello! Lovely day.")
    assert.strictEqual(reply([...memory.slice(0, 2), user("what did I just say")]).text, "You said: hello there")
  })

  it("says that it is a script when it greets, and when asked", () => {
    for (const memory of [[], [system("be brief")], [user("hello")], [user("are you an AI?")]]) {
      assert.match(reply(memory).text!, /scripted emulator, not an AI/)
    }
  })

  it("repeats what it has no line for", () =>
    assert.include(saidTo("the purple elephant sings"), "the purple elephant sings"))

  it("mentions images", () => {
    const images = [{ mediaType: "image/png", bytes: 1234 }]
    assert.include(reply([user("what is this", images)]).text!, "I can see the image (image/png, 1234 bytes)")
    assert.deepStrictEqual(reply([user("what time is it", images)]).calls, [{ name: "current_time", arguments: {} }])
  })

  it("says honestly that it did not understand speech", () => assert.include(saidTo("(speech, 1.2 s)"), "1.2 seconds"))
})

describe("requests", () => {
  it.each([
    ['Say exactly: "Please hold."', "Please hold."],
    ["say exactly: We are closed.", "We are closed."],
    ['Say exactly: "She said \\"hi\\" to me"', 'She said "hi" to me'],
    ["Say exactly “Über-Größe, 5 €!”", "Über-Größe, 5 €!"]
  ])("%s", (request, said) => {
    assert.deepStrictEqual(reply([user("what time is it")], { request }), { text: said, calls: [] })
  })

  it("an unknown request is named", () => {
    assert.include(reply([user("hi"), assistant("hi")], { request: "Sing a song." }).text!, "Sing a song.")
  })
})

describe("the story", () => {
  const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== "")

  it("has 24 numbered sentences, each its own", () => {
    const sentences = story.split(/(?<=\.) /)
    assert.strictEqual(sentences.length, 24)
    assert.strictEqual(new Set(sentences.map((sentence) => sentence.split(",")[0])).size, 24)
  })

  it("is told on demand, long or short", () => {
    assert.strictEqual(saidTo("tell me a long story"), story)
    assert.strictEqual(saidTo("tell me a short story"), shortStory)
  })

  it.each([
    ["continue", []],
    ["please go on", []],
    ["keep going!", []]
  ])("goes on when told to: %s", (said) => {
    const heard = wordsOf(story).slice(0, 100).join(" ")
    const rest = reply([user("tell me a story"), assistant(heard), user(said)]).text!
    assert.deepStrictEqual(wordsOf(`${heard} ${rest}`), wordsOf(story))
  })

  it("goes on after a reconnection, by a system item or by the request", () => {
    const heard = wordsOf(story).slice(0, 57).join(" ")
    const memory = [user("tell me a long story"), assistant(heard)]
    const rest = wordsOf(story).slice(57).join(" ")
    assert.strictEqual(
      reply([...memory, system("The conversation was reconnected. Continue where you left off.")]).text,
      rest
    )
    assert.strictEqual(reply(memory, { request: "Continue your last answer." }).text, rest)
  })

  it("goes on after other talk", () => {
    const heard = wordsOf(story).slice(0, 40).join(" ")
    const memory = [user("tell me a story"), assistant(heard), user("hello"), assistant("Hello!"), user("continue")]
    assert.deepStrictEqual(wordsOf(`${heard} ${reply(memory).text!}`), wordsOf(story))
  })

  it("starts over when nothing of it was heard", () => {
    assert.strictEqual(reply([user("tell me a story"), assistant(""), user("continue")]).text, story)
    assert.strictEqual(reply([user("tell me a story"), user("continue")]).text, story)
  })

  it("is over when it is over, and is not on when it was not asked for", () => {
    assert.strictEqual(
      reply([user("tell me a story"), assistant(story), user("continue")]).text,
      "That was the whole story."
    )
    assert.include(reply([user("hello"), assistant("Hello!"), user("continue")]).text!, "nothing")
  })

  const Cut = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: story.length - 1 }))

  it.prop(
    "cut anywhere, even inside a word or twice, nothing is missing and nothing is said twice",
    { cuts: Schema.Tuple([Cut, Cut]), mark: Schema.Literals(["", "…", " [interrupted]", "..."]) },
    ({ cuts, mark }) => {
      let memory: ReadonlyArray<Assistant.Turn> = [user("tell me a long story")]
      const heard: Array<string> = []
      for (const cut of cuts) {
        const told = reply(memory).text!
        if (told === "That was the whole story.") break
        const piece = told.slice(0, 1 + (cut % Math.max(1, told.length - 1)))
        // a word that was cut is said again as a whole; a missing full stop is no cut
        const missing = /^\S*/.exec(told.slice(piece.length))![0]
        const isWhole = piece.endsWith(" ") || !/[\p{L}\p{N}]/u.test(missing)
        const whole = isWhole ? piece + (piece.endsWith(" ") ? "" : missing) : piece.replace(/\S+$/, "")
        if (wordsOf(whole).length < 3) continue
        heard.push(...wordsOf(whole))
        memory = [...memory, assistant(`${piece}${mark}`), user("continue")]
      }
      const last = reply(memory).text!
      const all = last === "That was the whole story." ? heard : [...heard, ...wordsOf(last)]
      assert.strictEqual(all.join(" "), story)
    },
    { arbitrary: { runs: 200 } }
  )
})

it.prop("any text at all gets one reply, with something in it", [Schema.String], ([said]) => {
  const { calls, text } = reply([user(`x ${said}`)])
  assert.isTrue(calls.length > 0 || (text ?? "").length > 0)
})
