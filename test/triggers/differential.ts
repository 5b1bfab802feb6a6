import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import fc from 'fast-check';
import { nextOccurrences } from '../../lib/index.js';
import { ZoneOffsets } from '../../lib/triggers/zone.offsets.js';

/** A question to all engines, and where their answers part. */
export interface Disagreement {
  engine: 'croner' | 'cron-parser';
  expression: string;
  zone: string;
  from: string;
  ours: string;
  theirs: string;
}

export interface Comparison {
  seed: number;
  questions: number;
  /** Answers compared, by engine. */
  compared: Record<Disagreement['engine'], number>;
  disagreements: Disagreement[];
}

const answers = 3;

const changing = [
  'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Chatham', 'Africa/Casablanca', 'America/Havana', 'Asia/Beirut',
  'Africa/Cairo', 'America/Nuuk', 'Antarctica/Troll', 'Atlantic/Azores', 'America/Santiago', 'Australia/Sydney', 'America/Asuncion',
]; // prettier-ignore
const zones = [
  ...changing,
  'UTC',
  'Asia/Seoul',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Pacific/Kiritimati',
];

const number = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** What all three engines understand alike: croner refuses `a/n`, cron-parser repeated items. */
function item(min: number, max: number): fc.Arbitrary<string> {
  const range = fc
    .tuple(number(min, max), number(min, max))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = number(1, max - min + 1);
  return fc.oneof(
    { weight: 3, arbitrary: number(min, max).map(String) },
    { weight: 2, arbitrary: range },
    { weight: 1, arbitrary: step.map((n) => `*/${n}`) },
    { weight: 1, arbitrary: fc.tuple(range, step).map(([text, n]) => `${text}/${n}`) },
  );
}

function field(min: number, max: number, stars: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: stars, arbitrary: fc.constant('*') },
    { weight: 3, arbitrary: item(min, max) },
    {
      weight: 1,
      arbitrary: fc
        .uniqueArray(item(min, max), { minLength: 2, maxLength: 4 })
        .map((items) => items.join(',')),
    },
  );
}

const expression = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, { weight: 1, arbitrary: field(0, 59, 1) }),
    field(0, 59, 3),
    field(0, 23, 4),
    fc.oneof({ weight: 12, arbitrary: field(1, 31, 6) }, { weight: 1, arbitrary: fc.constant('L') }),
    field(1, 12, 8),
    field(0, 6, 6),
  )
  .map((fields) => fields.join(' ').trim());

/** Half of the questions lie near a change of the clocks. */
const question = fc
  .tuple(
    expression,
    fc.constantFrom(...zones),
    number(Date.UTC(2021, 0, 1) / 1000, Date.UTC(2036, 0, 1) / 1000),
    number(0, 40 * 3600),
  )
  .map(([text, zone, from, back]) => ({
    expression: text,
    zone,
    from: back % 2 === 0 ? from : nearChange(zone, from) - back + 4 * 3600,
  }));

function nearChange(zone: string, from: number): number {
  if (!changing.includes(zone)) return from;
  const offsets = ZoneOffsets.of(zone);
  let segment = offsets.segmentAt(from);
  for (let steps = 0; steps < 8 && segment.offset === segment.before; steps++)
    segment = offsets.segmentAt(segment.end);
  return segment.start;
}

/** Puts `runs` random questions to our engine, to croner, and, away from changes of the clocks, to cron-parser. */
export function compareEngines(runs: number, seed: number): Comparison {
  const comparison: Comparison = {
    seed,
    questions: 0,
    compared: { croner: 0, 'cron-parser': 0 },
    disagreements: [],
  };
  for (const asked of fc.sample(question, { numRuns: runs, seed })) {
    comparison.questions++;
    const from = new Date(asked.from * 1000);
    const ours = ourAnswer(asked.expression, asked.zone, from);
    const compare = (engine: Disagreement['engine'], theirs: string | null): void => {
      if (theirs === null) return;
      comparison.compared[engine]++;
      if (theirs === ours || (engine === 'croner' && isLostAtMidnight(asked.zone, ours, theirs))) return;
      comparison.disagreements.push({ engine, ...asked, from: from.toISOString(), ours, theirs });
    };
    compare('croner', cronerAnswer(asked.expression, asked.zone, from));
    if (ours !== '' && isQuiet(asked.zone, asked.from, ours)) {
      compare('cron-parser', cronParserAnswer(asked.expression, asked.zone, from));
    }
  }
  return comparison;
}

function ourAnswer(text: string, timeZone: string, from: Date): string {
  try {
    return shown(nextOccurrences({ type: 'cron', expression: text }, { from, count: answers, timeZone }));
  } catch (error) {
    if ((error as { reason?: string }).reason === 'never-fires') return '';
    throw error;
  }
}

function cronerAnswer(text: string, timezone: string, from: Date): string {
  const cron = new Cron(text, { timezone, paused: true, fixedTimeRule: 'no-wildcard' });
  return shown(cron.nextRuns(answers, from));
}

/** null: it takes a list for wrong that names a value twice. */
function cronParserAnswer(text: string, tz: string, from: Date): string | null {
  try {
    const found = CronExpressionParser.parse(text, { tz, currentDate: from }).take(answers);
    return shown(found.map((date) => date.toDate()));
  } catch (error) {
    if (/duplicate values/.test((error as Error).message)) return null;
    return String(error);
  }
}

/**
 * The one known disagreement: where the clocks go forward from 23:00 to midnight (Nuuk), croner loses the fixed times of the last hour,
 * while the rule says that they run once at the first instant after the gap.
 */
function isLostAtMidnight(zone: string, ours: string, theirs: string): boolean {
  const kept = ours.split(' ').filter((text) => {
    const at = Date.parse(text) / 1000;
    const { changedAt, before, offset } = ZoneOffsets.of(zone).segmentAt(at);
    return !(at === changedAt && offset > before && (at + offset) % 86_400 === 0);
  });
  return kept.length < answers && theirs.startsWith(kept.join(' '));
}

/** Whether the clocks stay as they are from a day before the question to a day after its last answer. */
function isQuiet(zone: string, from: number, answer: string): boolean {
  const until = Date.parse(answer.split(' ').at(-1)!) / 1000 + 86_400;
  const offsets = ZoneOffsets.of(zone);
  let segment = offsets.segmentAt(from - 86_400);
  while (segment.end <= until) {
    const next = offsets.segmentAt(segment.end);
    if (next.offset !== segment.offset) return false;
    segment = next;
  }
  return true;
}

function shown(dates: Date[]): string {
  return dates.map((date) => date.toISOString()).join(' ');
}
