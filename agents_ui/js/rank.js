// What of many entries a few typed letters mean, best first. Pure and quick: a thousand entries in a few milliseconds.
// For the palette and whatever else offers entries while one types.

/** Without case, accents and marks of width, so that `ele` finds Élève. Signs that carry a vowel in other scripts stay. */
export function fold(text) {
  return text.normalize('NFKD').replace(/[\u0300-\u036f\u200b-\u200f\u2060-\u2069]/g, '').toLowerCase();
}

const START = /[\s#@._/\-–—:([“"'’…]/;

/**
 * How well `query` fits `text`, both folded; 0: not at all. The whole, then its beginning, then the beginnings of words,
 * then anywhere, then the letters in their order.
 */
export function fits(query, text, words = query.split(/\s+/).filter(Boolean)) {
  if (!query) return 1;
  if (text === query) return 1_000;
  if (text.startsWith(query)) return 900 - Math.min(99, text.length - query.length);
  const at = text.indexOf(query);
  if (at > 0) return (START.test(text[at - 1]) ? 700 : 400) - Math.min(99, at);
  if (words.length > 1) {
    let least = 1_000;
    for (const word of words) {
      least = Math.min(least, fits(word, text, ONE));
      if (least < 300) return 0;
    }
    return least - 50;
  }
  return query.length > 1 ? scattered(query, text) : 0;
}

const ONE = [];

/** Letters in order, each next to the one before or at the beginning of a word: `gq` finds “Go to the queue”. */
function scattered(query, text) {
  let place = -1, gaps = 0;
  for (const letter of query) {
    let next = text.indexOf(letter, place + 1);
    while (next > place + 1 && next > 0 && !START.test(text[next - 1])) next = text.indexOf(letter, next + 1);
    if (next < 0) return 0;
    if (next > place + 1) gaps++;
    place = next;
  }
  return Math.max(1, 250 - 20 * gaps - Math.min(50, text.length));
}

/**
 * @template {{text: string, also?: string, bonus?: number, folded?: string[]}} T
 * @param {string} query as typed @param {T[]} entries in the order they have among equals @returns {T[]}
 */
export function ranked(query, entries, most = 12) {
  const wanted = fold(query.trim()), words = wanted.split(/\s+/).filter(Boolean);
  const found = [];
  for (const [order, entry] of entries.entries()) {
    entry.folded ??= [fold(entry.text), entry.also ? fold(entry.also) : ''];
    const score = Math.max(fits(wanted, entry.folded[0], words), entry.folded[1] ? fits(wanted, entry.folded[1], words) * 0.8 : 0);
    if (score > 0) found.push({ entry, order, score: score + (entry.bonus ?? 0) });
  }
  return found.sort((a, b) => b.score - a.score || a.order - b.order).slice(0, most).map(({ entry }) => entry);
}
