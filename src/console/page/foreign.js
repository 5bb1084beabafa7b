// Text of strangers: miners, sources, API users, and errors that quote them. It is kept bounded,
// shown in isolation and without any character that moves, hides or reorders its surroundings.

import { el } from "./dom.js";
import { count } from "./format.js";

// As many characters as the program sends (TEXT in feed.rs), without its note that it cut the text;
// the journal has all of it.
const KEPT = 16_384;
// Characters shown of one before somebody asks for more.
const SHOWN = 700;

// A text as the page keeps it, with the length that it had.
export function keep(text, most = KEPT) {
  const whole = typeof text === "string" ? text : text === null || text === undefined ? "" : String(text);
  return { text: whole.length > most ? cutAt(whole, most) : whole, length: whole.length };
}

// Never through the middle of a surrogate pair.
function cutAt(text, at) {
  const code = text.charCodeAt(at - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? at - 1 : at);
}

// Control characters become their pictures; those that reorder text or are invisible on purpose
// become their numbers. Line ends, tabs and the joiners of emoji stay.
export function harmless(text) {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\u007f/g, "\u2421")
    .replace(
      /[\u0080-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu,
      (c) => `⟨${c.codePointAt(0).toString(16).toUpperCase()}⟩`,
    );
}

// One line of foreign text within ours.
export function line(text, most = 160) {
  const kept = keep(text, most);
  const cut = kept.length > kept.text.length;
  return el("bdi", { class: "foreign" }, harmless(kept.text).replace(/\s+/g, " ") + (cut ? "…" : ""));
}

// A block of foreign text: its beginning, and a button for the rest.
export function block(kept) {
  const shown = kept.text.length > SHOWN ? cutAt(kept.text, SHOWN) : kept.text;
  const rest = kept.length > shown.length;
  const text = el("div", { class: "text foreign", dir: "auto" }, harmless(shown) + (rest ? "…" : ""));
  if (!rest) return text;
  const all = kept.text.length === kept.length;
  const much = all ? `all ${count(kept.length)}` : count(kept.text.length);
  const note = el("p", { class: "note", tabindex: "-1" });
  const more = el("button", { type: "button", class: "quiet" }, `Show ${much} characters`);
  more.addEventListener("click", () => {
    text.textContent = harmless(kept.text);
    note.textContent = all
      ? "This is all of it."
      : `These are the first ${count(kept.text.length)} characters; the journal has the rest.`;
    more.replaceWith(note);
    note.focus();
  });
  return el("div", {}, text, more);
}
