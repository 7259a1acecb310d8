// Clocks of other places: when it is nine o'clock where a customer is. Pure: for sendlater.js, tried in Node.

const HOUR = 3_600_000, DAY = 24 * HOUR;

const shapes = new Map();

function shape(zone) {
  if (!shapes.has(zone)) {
    shapes.set(zone, new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    }));
  }
  return shapes.get(zone);
}

/** What clock and calendar show there, as if it were UTC. */
export function wall(at, zone) {
  const part = Object.fromEntries(shape(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
}

/** When a clock there shows this. An hour that is skipped there in spring is taken as the one after; of one that comes twice, the first. */
export function moment(shown, zone) {
  const off = (at) => wall(Math.floor(at / 1000) * 1000, zone) - Math.floor(at / 1000) * 1000;
  const before = shown - off(shown - DAY), after = shown - off(shown + DAY);
  if (wall(before, zone) === shown) return before;
  if (wall(after, zone) === shown) return after;
  return before;
}

/** @returns {{name: 'hour'|'tomorrow'|'monday', at: number}[]} the times that people mean, there */
export function times(now, zone) {
  const here = new Date(wall(now, zone));
  const nine = (days) => moment(Date.UTC(here.getUTCFullYear(), here.getUTCMonth(), here.getUTCDate() + days, 9), zone);
  const monday = (8 - here.getUTCDay()) % 7 || 7;
  return [
    { name: 'hour', at: now + HOUR },
    ...(here.getUTCHours() < 8 ? [{ name: 'today', at: nine(0) }] : []),
    { name: 'tomorrow', at: nine(1) },
    ...(monday === 1 ? [] : [{ name: 'monday', at: nine(monday) }]),
  ];
}

export function known(zone) {
  try {
    return Boolean(zone && shape(zone));
  } catch {
    return false;
  }
}

/** What a field for day and time has in it. */
export const field = (at, zone) => new Date(wall(at, zone)).toISOString().slice(0, 16);
export const read = (text, zone) => moment(Date.parse(`${text}Z`), zone);

/** Hours and minutes there. */
export const clock = (at, zone) => field(at, zone).slice(11);

/** A zone's city, as one says it. */
export const place = (zone) => zone.split('/').at(-1).replaceAll('_', ' ');
