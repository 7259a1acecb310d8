import assert from "node:assert/strict";
import { test } from "node:test";
import { ulid } from "../js/ids.js";
import { _, dayOf, ngettext, timeOf, useCatalogue } from "../js/words.js";

const DAY = 86_400_000;
const russian = (n) => (n % 10 === 1 && n % 100 !== 11 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2);

test("a text without a translation is English, and values stand where they belong", () => {
  assert.equal(_("Hello {0} and {1}", "A", "{0}"), "Hello A and {0}");
  assert.equal(_("Hello {0}", "سلمى"), "Hello \u2068سلمى\u2069");
  assert.equal(ngettext("{0} thing", "{0} things", 1), "1 thing");
  assert.equal(ngettext("{0} thing", "{0} things", 0), "0 things");
});

test("plurals are looked up in a table of 200", () => {
  const plural = Array.from({ length: 200 }, (_one, n) => russian(n)).join("");
  useCatalogue({ lang: "ru", dir: "ltr", plural, msgs: { "{0} thing": ["{0} вещь", "{0} вещи", "{0} вещей"] }, dt: {} });
  for (const n of [0, 1, 2, 5, 11, 21, 99, 101, 111, 199, 200, 201, 1002, 100_011]) {
    assert.equal(ngettext("{0} thing", "{0} things", n), `${n} ${["вещь", "вещи", "вещей"][russian(n)]}`);
  }
});

test("dates are right where the browser does not know the language", () => {
  const months = ["មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ"];
  // A language that no browser knows, so that this holds whatever Node was built with.
  useCatalogue({ lang: "xx", dir: "ltr", plural: "0".repeat(200), msgs: {}, dt: { months, monthsShort: months, day: "d MMM", full: "d MMMM y 'x'" } });
  const now = new Date(2026, 10, 22, 9, 5).getTime();
  assert.equal(dayOf(new Date(2026, 1, 3).getTime(), now), "3 កុម្ភៈ");
  assert.equal(dayOf(new Date(2025, 1, 3).getTime(), now), "3 កុម្ភៈ 2025 x");
  assert.equal(dayOf(now, now), "Today");
  assert.equal(dayOf(now - DAY, now), "Yesterday");
  assert.equal(timeOf(now), "09:05");
  useCatalogue({ lang: "ar", dir: "rtl" });
  assert.match(dayOf(now - 30 * DAY, now), /[\u0600-\u06ff]/);
});

test("ids grow, also within a millisecond, and are of the letters that ULIDs have", () => {
  const made = Array.from({ length: 2000 }, () => ulid(1_795_000_000_000));
  assert.deepEqual(made, [...new Set(made)].sort());
  assert.match(made[0], /^[0-9A-HJKMNP-TV-Z]{26}$/);
});
