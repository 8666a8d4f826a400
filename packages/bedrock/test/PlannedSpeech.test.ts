import { assert, describe, it } from "@effect/vitest"
import { join, PlannedSpeech } from "../src/internal/plannedSpeech.ts"

const plan = (...sentences: ReadonlyArray<string>) => {
  const plan = new PlannedSpeech()
  for (const sentence of sentences) plan.add(sentence)
  return plan
}

describe("a plan", () => {
  // what was announced and has its sound, what was confirmed of it; what is open then, and what was said if that is all
  it.each([
    [["One.", "Two."], [], ["One.", "Two."], "One. Two."],
    [["One.", "Two."], ["One."], ["Two."], "One. Two."],
    [["One.", "Two."], ["One. Two."], [], "One. Two."],
    [["One. Two. Three."], ["One.", "Two."], ["Three."], "One. Two."],
    [["One.  two"], ["One.\n"], ["two"], "One."],
    [["One two three."], ["One two"], ["three."], "One two"],
    [["One.", "Two."], ["Uno."], ["Two."], "Uno. Two."],
    [["One.", "Two."], ["One. Dos."], [], "One. Dos."],
    [["One."], ["One.", "Two."], [], "One. Two."],
    [["One."], ["One. Two."], [], "One. Two."],
    [["One."], [""], ["One."], "One."],
    [[], ["One.", "Two."], [], "One. Two."]
  ])("of %j of which %j was confirmed", (sentences, confirmed, rest, all) => {
    const one = plan(...sentences)
    assert.deepStrictEqual(one.begin(), sentences)
    for (const text of confirmed) one.confirm(text, false)
    assert.deepStrictEqual(one.unconfirmed, rest)
    assert.strictEqual(one.covered, rest.length === 0)
    assert.strictEqual(one.text(true), all)
  })

  it("counts as spoken what has sound, and what was confirmed, once", () => {
    const one = plan("One.", "Two. Three.", "Four.")
    assert.strictEqual(one.text(false), "")
    assert.deepStrictEqual(one.confirm("One. Two.", false), ["One.", "Two. Three."])
    assert.deepStrictEqual(one.confirm("Three. Four. Five.", false), ["Four.", "Five."])
    assert.deepStrictEqual(one.begin(), [])
    assert.strictEqual(one.text(false), "One. Two. Three. Four. Five.")
  })

  it("that was cut off is all of it, however much of it was confirmed", () => {
    const one = plan("One two three.")
    one.begin()
    one.confirm("One", false)
    assert.strictEqual(one.text(false), "One two three.")
    assert.strictEqual(one.text(true), "One")
  })

  it("knows what waits for its sound", () => {
    const one = plan("One.")
    assert.isTrue(one.waits)
    one.begin()
    assert.isFalse(one.waits)
    one.add("Two.")
    assert.isTrue(one.waits)
    assert.deepStrictEqual(one.begin(), ["Two."])
  })

  it("expects what was announced next, or the beginning of it, or more", () => {
    const one = plan("One. Two.", "Three.")
    for (const text of ["One.", " One. ", "One. Two. Three."]) assert.isTrue(one.expects(text), text)
    for (const text of ["Three.", "Uno."]) assert.isFalse(one.expects(text), text)
    assert.isFalse(plan().expects("One."))
  })

  it("has text that grows", () => {
    const one = plan()
    one.extend("One")
    one.extend(" two.")
    assert.deepStrictEqual(one.begin(), ["One two."])
    const other = plan()
    assert.deepStrictEqual([other.confirm("Good mor", false), other.confirm("ning.", true)], [["Good mor"], ["ning."]])
    assert.strictEqual(other.text(true), "Good morning.")
  })
})

describe("texts", () => {
  it.each([
    ["", "a", "a"],
    ["a", "b", " b"],
    ["a ", "b", "b"],
    ["a", "\nb", "\nb"],
    ["a", "", ""]
  ])("%j and %j are joined by %j", (before, text, joined) => {
    assert.strictEqual(join(before, text), joined)
  })
})
