import { expect, test } from 'vitest';
import { nextOccurrences, previousOccurrences, type DstPolicy } from '../../lib/index.js';
import { IntlZone, type Change } from './intl.zone.js';

/** Zones of every kind of change, all continents, and some without any. */
const zones = `
  Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg Africa/Juba America/Adak America/Anchorage
  America/Asuncion America/Bogota America/Chicago America/Chihuahua America/Denver America/Halifax America/Havana
  America/Los_Angeles America/Mexico_City America/Miquelon America/New_York America/Nuuk America/Port-au-Prince America/Santiago
  America/Sao_Paulo America/Scoresbysund America/St_Johns America/Tijuana America/Whitehorse Antarctica/Casey
  Antarctica/Macquarie Antarctica/Troll Antarctica/Vostok Asia/Almaty Asia/Amman Asia/Beirut Asia/Damascus Asia/Gaza Asia/Jerusalem
  Asia/Kathmandu Asia/Kolkata Asia/Seoul Asia/Tehran Atlantic/Azores Atlantic/Bermuda Australia/Adelaide Australia/Lord_Howe
  Australia/Perth Australia/Sydney Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Istanbul Europe/Lisbon Europe/London
  Europe/Moscow Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Fiji Pacific/Norfolk
`
  .trim()
  .split(/\s+/);

const hour = 60;
/** What is scanned around each change, in minutes. */
const [before, after] = [5 * hour, 6 * hour];

interface Pattern {
  minutes: number[] | null;
  hours: number[] | null;
  fixed: boolean;
  expression: string;
}

function pattern(minutes: number[] | null, hours: number[] | null, text?: string): Pattern {
  const expression = text ?? `${minutes?.join(',') ?? '*'} ${hours?.join(',') ?? '*'} * * *`;
  return { minutes, hours, fixed: !/[*/?]/.test(expression.split(' ').slice(0, 2).join('')), expression };
}

/** Patterns that hit the change: its first, last and middle wall minutes, and the hours around it. */
function patternsAt(change: Change): Pattern[] {
  const low = modulo(change.at + Math.min(change.before, change.after));
  const high = modulo(change.at + Math.max(change.before, change.after));
  const minutesOfDay = [low, low + 1, low + 15, high - 1, high, high + 1, low - 1].map(modulo);
  const single = minutesOfDay.map((minute) => pattern([minute % 60], [Math.floor(minute / 60)]));
  const hours = [
    ...new Set([low - 60, low, low + 59, high - 1, high].map((minute) => Math.floor(modulo(minute) / 60))),
  ];
  hours.sort((a, b) => a - b);
  return [
    ...single,
    pattern([0, 15, 30, 45], hours),
    pattern([7, 53], hours),
    pattern([0], everyHour, '0 0-23 * * *'),
    pattern(null, null),
    pattern([0, 15, 30, 45], null, '*/15 * * * *'),
    pattern([0, 20, 40], hours, `*/20 ${hours.join(',')} * * *`),
    pattern(null, [hours[0]!]),
  ];
}

const everyHour = Array.from({ length: 24 }, (_, index) => index);

/** The minutes around a change with what the clock shows at each, and at which minutes it shows it. */
interface Scanned {
  from: number;
  until: number;
  walls: Map<number, number>;
  passes: Map<number, number[]>;
}

function minutesAround(change: Change): Scanned {
  const [from, until] = [change.at - before, change.at + after];
  const walls = new Map<number, number>();
  const passes = new Map<number, number[]>();
  for (let at = from - 1; at <= until + 4 * hour; at++) {
    const wall = at + (at < change.at ? change.before : change.after);
    walls.set(at, wall);
    const shown = passes.get(wall);
    if (shown) shown.push(at);
    else passes.set(wall, [at]);
  }
  return { from, until, walls, passes };
}

/** The rules, minute by minute: nothing is searched, nothing is cached. */
function scan(
  { from, until, walls, passes }: Scanned,
  { minutes, hours, fixed }: Pattern,
  dst: DstPolicy,
): number[] {
  const gap = dst.gap ?? (fixed ? 'run' : 'skip');
  const overlap = dst.overlap ?? (fixed ? 'first' : 'both');
  const matches = (wall: number): boolean => {
    const minute = modulo(wall);
    return (minutes?.includes(minute % 60) ?? true) && (hours?.includes(Math.floor(minute / 60)) ?? true);
  };
  const found = new Set<number>();
  for (let at = from; at <= until; at++) {
    const wall = walls.get(at)!;
    const own = passes.get(wall)!;
    const wanted = own.length === 1 || overlap === 'both' || at === own[overlap === 'first' ? 0 : 1];
    if (wanted && matches(wall)) found.add(at);
    const missing = wall - walls.get(at - 1)! - 1;
    if (missing <= 0 || missing > 180 || gap === 'skip') continue;
    for (let wallMinute = wall - missing; wallMinute < wall; wallMinute++) {
      if (matches(wallMinute)) found.add(gap === 'run' ? at : at + wallMinute - (wall - missing));
    }
  }
  return [...found].filter((at) => at <= until).sort((a, b) => a - b);
}

function modulo(minute: number): number {
  return ((minute % 1440) + 1440) % 1440;
}

const policies: DstPolicy[] = [{}, {}, {}];
for (const gap of ['run', 'skip', 'shift'] as const) {
  for (const overlap of ['first', 'second', 'both'] as const) policies.push({ gap, overlap });
}

test(
  'every change of sixty zones from 2020 to 2028 agrees with a scan of its minutes',
  { timeout: 60_000 },
  () => {
    let changes = 0;
    let compared = 0;
    for (const name of zones) {
      const zone = new IntlZone(name);
      for (const change of zone.changes(2020, 2028)) {
        const scanned = minutesAround(change);
        const { from, until } = scanned;
        for (const [index, one] of patternsAt(change).entries()) {
          const dst = policies[(changes + index) % policies.length]!;
          const trigger = { type: 'cron', expression: one.expression, timeZone: name, dst } as const;
          const expected = scan(scanned, one, dst).map((at) => at * 60_000);
          const title = `${one.expression} ${name} ${new Date(change.at * 60_000).toISOString()} ${JSON.stringify(dst)}`;

          const forth = nextOccurrences(trigger, { from: from * 60_000 - 1, count: expected.length + 1 });
          const found = forth.map((date) => date.getTime()).filter((at) => at <= until * 60_000);
          if (found.join() !== expected.join()) expect(found, title).toEqual(expected);

          const back = previousOccurrences(trigger, { from: until * 60_000 + 1, count: expected.length + 1 });
          const foundBack = back.map((date) => date.getTime()).filter((at) => at >= from * 60_000);
          foundBack.reverse();
          if (foundBack.join() !== expected.join())
            expect(foundBack, `backwards: ${title}`).toEqual(expected);
          compared += expected.length;
        }
        changes++;
      }
    }
    // If the zone data of this Node had none, the test would prove nothing.
    expect(changes).toBeGreaterThan(500);
    expect(compared).toBeGreaterThan(100_000);
  },
);
