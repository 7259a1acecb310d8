// ULIDs: 48 bits of time, 80 of chance. A message keeps the one it was given here, however often it is sent.

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
let before = 0;

export function ulid(now = Date.now()) {
  before = Math.max(now, before + 1); // grows, also within a millisecond: the outbox is kept in this order
  let time = "";
  for (let rest = before, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = LETTERS[rest % 32] + time;
  return time + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => LETTERS[byte % 32]).join("");
}
