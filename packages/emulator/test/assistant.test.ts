import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Assistant from "@effect-bidi/emulator/Assistant"
import type * as Prompt from "@effect-bidi/emulator/Prompt"
import { shortStory, story } from "../src/internal/assistant/story.ts"

const tool = (
  name: string,
  properties: object = {},
  description = "",
  required = Object.keys(properties)
): Prompt.Tool => ({
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

const user = (text: string, images: ReadonlyArray<Prompt.Image> = []): Prompt.Turn => ({
  role: "user",
  text,
  images
})
const assistant = (text: string): Prompt.Turn => ({ role: "assistant", text })
const system = (text: string): Prompt.Turn => ({ role: "system", text })

const reply = (history: ReadonlyArray<Prompt.Turn>, change: Partial<Prompt.Prompt> = {}): Prompt.Reply =>
  Assistant.scripted({
    history,
    tools: kit,
    toolChoice: "auto",
    parallelCalls: true,
    instructions: undefined,
    ...change
  })

const saidTo = (said: string, tools: ReadonlyArray<Prompt.Tool> = []) => reply([user(said)], { tools }).text ?? ""

describe("history", () => {
  it("knows what it was told, however long ago", () => {
    const history = [
      user("My name is Ada."),
      assistant("Nice to meet you, Ada."),
      user("my favourite colour is dark blue"),
      assistant("Ok."),
      user("I live in Oslo"),
      assistant("Ok.")
    ]
    assert.strictEqual(reply([...history, user("What is my name?")]).text, "Your name is Ada.")
    assert.strictEqual(
      reply([...history, user("what's my favourite colour")]).text,
      "Your favourite colour is dark blue."
    )
    assert.strictEqual(reply([...history, user("Where do I live?")]).text, "You live in Oslo.")
    assert.include(reply([...history, user("what is my age?")]).text!, "not told me")
  })

  it("the newest word counts", () => {
    const history = [
      user("my name is ada"),
      assistant("Hi."),
      user("call me Grace"),
      assistant("Hi."),
      user("what is my name")
    ]
    assert.strictEqual(reply(history).text, "Your name is Grace.")
  })

  it("says again what was said", () => {
    const history = [user("hello there"), assistant("Hello! Lovely day."), user("what did you just say?")]
    assert.strictEqual(reply(history).text, "I said: Hello! Lovely day.")
    assert.strictEqual(reply([...history.slice(0, 2), user("what did I just say")]).text, "You said: hello there")
  })

  it("says that it is a script when it greets, and when asked", () => {
    for (const history of [[], [system("be brief")], [user("hello")], [user("are you an AI?")]]) {
      assert.match(reply(history).text!, /scripted emulator, not an AI/)
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
  ])("%s", (instructions, said) => {
    assert.deepStrictEqual(reply([user("what time is it")], { instructions }), { text: said, calls: [] })
  })

  it("an unknown request is named", () => {
    assert.include(reply([user("hi"), assistant("hi")], { instructions: "Sing a song." }).text!, "Sing a song.")
  })
})

/** How each wire carries what the application says on its own account. */
const wires: ReadonlyArray<{
  readonly wire: string
  readonly tell: (...texts: ReadonlyArray<string>) => ReadonlyArray<Prompt.Turn>
  readonly ask: (instructions: string | undefined) => {
    readonly turns: ReadonlyArray<Prompt.Turn>
    readonly instructions: string | undefined
  }
}> = [
  {
    wire: "items and instructions",
    tell: (...texts) => texts.map(system),
    ask: (instructions) => ({ turns: [], instructions })
  },
  {
    wire: "Gemini's text of the user",
    tell: (...texts) => [user(texts.map((text) => `[From the application: ${text}]`).join("\n\n"))],
    ask: (text = "Say what you would say next, without mentioning this.") => ({
      turns: [user(`[From the application: ${text}]`)],
      instructions: undefined
    })
  },
  {
    wire: "Nova's text of the user",
    tell: (...texts) => [user(texts.map((text) => `[${text}]`).join("\n"))],
    ask: (text = "It is your turn to speak.") => ({ turns: [user(`[${text}]`)], instructions: undefined })
  }
]

const CONTINUE =
  "The connection was renewed while you were speaking. Go on exactly where your last message stops. Do not repeat any of it and do not greet."
const madeBy = (instructions: string) => `${CONTINUE} That message was made by these instructions: ${instructions}`
const exactly = (text: string) => `Say exactly: "${text}" Say it word for word, and nothing else.`

describe.each(wires)("the application, by $wire", ({ ask, tell }) => {
  const asked = (history: ReadonlyArray<Prompt.Turn>, request?: string) => {
    const { instructions, turns } = ask(request)
    return reply([...history, ...turns], { instructions })
  }
  const late = [
    user("Find my order"),
    { role: "call", callId: "1", name: "find_order", arguments: "{}" },
    { role: "result", callId: "1", output: '"Still working on it. The result will follow."' },
    assistant("Still working on it. The result will follow.")
  ] satisfies ReadonlyArray<Prompt.Turn>

  it.each([
    ['The tool find_order, called earlier, has finished: "on its way"', "On its way."],
    ['The tool find_order, called earlier, has finished: {"items":["a","b"]}', "The items is a and b."],
    ["The tool calculator, called earlier, has finished: [1,2]", "I found 2: 1 and 2."],
    [
      'The tool find_order, called earlier, has failed: "no such order"',
      "Sorry, find order did not work: no such order."
    ],
    [
      "The tool calculator, called earlier, has finished: 3\nThe tool calculator, called earlier, has finished: 7",
      "The answer is 3. The answer is 7."
    ]
  ])("tells a result that is late: %s", (note, said) => {
    assert.deepStrictEqual(reply([...late, ...tell(note)]), { text: said, calls: [] })
  })

  it("tells several results at once", () => {
    const notes = [3, 7].map((n) => `The tool calculator, called earlier, has finished: ${n}`)
    assert.strictEqual(reply([...late, ...tell(...notes)]).text, "The answer is 3. The answer is 7.")
  })

  it("tells a result once", () => {
    const history = [
      ...late,
      ...tell("The tool calculator, called earlier, has finished: 3"),
      assistant("The answer is 3.")
    ]
    assert.strictEqual(reply([...history, user("My name is Ada.")]).text, "Nice to meet you, Ada.")
  })

  it("tells on a new connection what a tool has returned meanwhile, and does not call it again", () => {
    const told = tell('You called the tool calculator with {"expression":"25 * 48"}. It returned: 1200')
    assert.deepStrictEqual(asked([user("Calculate 25 times 48"), ...told]), { text: "The answer is 1200.", calls: [] })
  })

  it("dictates", () => {
    assert.deepStrictEqual(asked([user("what time is it")], exactly("Please hold.")), {
      text: "Please hold.",
      calls: []
    })
  })

  it("asks for the first word", () => {
    assert.match(asked([], "Greet the caller.").text!, /scripted emulator/)
    assert.match(asked([]).text!, /scripted emulator/)
  })

  it("asks for a reply to what was said", () => {
    assert.strictEqual(asked([user("My name is Ada.")]).text, "Nice to meet you, Ada.")
    assert.strictEqual(asked([user("My name is Ada."), assistant("Nice.")]).text, "Is there anything else?")
  })

  it("asks for something that is not in the script, which is named", () => {
    assert.include(asked([user("hi"), assistant("hi")], "Sing a song.").text!, "asked for this: Sing a song.")
  })

  it.each([
    ["Mind the gap between", "the train and the platform."],
    ["Mind the gap betw", "between the train and the platform."],
    ["One moment.\nMind the gap between", "the train and the platform."],
    ["Mind the gap [interrupted]", "between the train and the platform."],
    ["Mind the gap…", "between the train and the platform."],
    ["Hello, how can I help?", "Mind the gap between the train and the platform."],
    ["Mind the gap between the train and the platform.", "That was all."]
  ])("has the rest said of what was dictated, after: %s", (heard, rest) => {
    const text = "Mind the gap between the train and the platform."
    assert.strictEqual(asked([user("hi"), assistant(heard)], madeBy(exactly(text))).text, rest)
  })

  it.each([
    [[user("My name is Ada."), assistant("Nice to")], undefined, "meet you, Ada."],
    [[assistant("Hello. I am a scripted emulator")], "Greet the caller.", /^not an AI\. .*story\.$/],
    [[user("tell me a long story"), assistant(shortStory)], undefined, story.slice(shortStory.length + 1)],
    [[user("hello"), assistant("Nobody says this.")], undefined, /script/]
  ] as const)("has a reply gone on with: %j", (history, by, rest) => {
    const { text } = asked(history, by === undefined ? CONTINUE : madeBy(by))
    if (typeof rest === "string") assert.strictEqual(text, rest)
    else assert.match(text!, rest)
  })
})

describe("text in brackets", () => {
  it("stands beside what the user says", () => {
    const fact = "[From the application: The visitor wears a red coat.]"
    assert.strictEqual(saidTo(`${fact}\n\nMy name is Ada.`), "Nice to meet you, Ada.")
    assert.strictEqual(saidTo("[The call begins.]\nMy name is Ada."), "Nice to meet you, Ada.")
    assert.strictEqual(saidTo("My name is Ada."), "Nice to meet you, Ada.")
  })

  it("tells what happened on another connection", () => {
    const talk = "User: My name is Ada.\nYou: Nice to meet you, Ada.\nUser: [From the application: You are on hold.]"
    const text = `[From the application: This happened meanwhile:\n${talk}]\n\nWhat is my name?`
    assert.strictEqual(saidTo(text), "Your name is Ada.")
  })

  it("is no answer to pictures", () => {
    const images = [{ mediaType: "image/png", bytes: 1234 }]
    assert.include(reply([user("[The user shows this picture.]", images)]).text!, "image/png, 1234 bytes")
  })

  it("that is not closed is what the user says", () => assert.include(saidTo("[purple elephant"), "[purple elephant"))
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
    const history = [user("tell me a long story"), assistant(heard)]
    const rest = wordsOf(story).slice(57).join(" ")
    assert.strictEqual(
      reply([...history, system("The conversation was reconnected. Continue where you left off.")]).text,
      rest
    )
    assert.strictEqual(reply(history, { instructions: "Continue your last answer." }).text, rest)
  })

  it("goes on after other talk", () => {
    const heard = wordsOf(story).slice(0, 40).join(" ")
    const history = [user("tell me a story"), assistant(heard), user("hello"), assistant("Hello!"), user("continue")]
    assert.deepStrictEqual(wordsOf(`${heard} ${reply(history).text!}`), wordsOf(story))
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
      let history: ReadonlyArray<Prompt.Turn> = [user("tell me a long story")]
      const heard: Array<string> = []
      for (const cut of cuts) {
        const told = reply(history).text!
        if (told === "That was the whole story.") break
        const piece = told.slice(0, 1 + (cut % Math.max(1, told.length - 1)))
        // a word that was cut is said again as a whole; a missing full stop is no cut
        const missing = /^\S*/.exec(told.slice(piece.length))![0]
        const isWhole = piece.endsWith(" ") || !/[\p{L}\p{N}]/u.test(missing)
        const whole = isWhole ? piece + (piece.endsWith(" ") ? "" : missing) : piece.replace(/\S+$/, "")
        if (wordsOf(whole).length < 3) continue
        heard.push(...wordsOf(whole))
        history = [...history, assistant(`${piece}${mark}`), user("continue")]
      }
      const last = reply(history).text!
      const all = last === "That was the whole story." ? heard : [...heard, ...wordsOf(last)]
      assert.strictEqual(all.join(" "), story)
    },
    cases(200)
  )
})

it.prop("any text at all gets one reply, with something in it", [Schema.String], ([said]) => {
  const { calls, text } = reply([user(`x ${said}`)])
  assert.isTrue(calls.length > 0 || (text ?? "").length > 0)
})
