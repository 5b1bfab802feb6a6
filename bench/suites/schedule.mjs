// Next occurrences: ours, cron-parser, croner and cron, in this process.
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { nextOccurrences } from '../../dist/index.js';
import { compileTrigger } from '../../dist/triggers/compiled.trigger.js';
import { parseCronExpression } from '../../dist/triggers/cron.expression.js';
import { WallSchedule } from '../../dist/triggers/wall.schedule.js';
import { describeMachine, versionOf } from '../environment.mjs';
import { median, summarize } from '../figures.mjs';

const roundMs = 12;

export const suite = {
  about:
    'Microseconds for one call, the quickest of seven rounds (with --quick: three) of 12 ms in which the engines take turns, since other work only makes rounds slower; 61 questions spread over a year. Warm-up: each question once.',

  /** Needs no database and no processes; the engines are always the same. */
  alone(options) {
    const rounds = options.rounds ?? (options.quick ? 3 : 7);
    const samples = [];
    console.log(`Node ${process.version}, zone data ${process.versions.tz}, ${describeMachine().cpu}`);
    samples.push(...table('Next, of a schedule that was read before', rounds, prepared));
    samples.push(...table('Parse and next, from the text each time', rounds, asked));
    samples.push(...oursAlone(rounds));
    return {
      suite: 'schedule',
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
      date: new Date().toISOString(),
      hardware: describeMachine(),
      versions: { node: process.version, zoneData: process.versions.tz, ...versions() },
      about: suite.about,
      results: summarize(samples),
      skipped: [],
    };
  },
};

/** Instants spread over a year, so that no engine profits from being asked the same twice in a row. */
const froms = Array.from(
  { length: 61 },
  (_, index) => new Date(Date.UTC(2026, 0, 3) + index * 6 * 86_400_000 + index * 1_234_567),
);

const cases = [
  ['every minute', '* * * * *', 'UTC'],
  ['every minute', '* * * * *', 'America/New_York'],
  ['every 5 minutes', '*/5 * * * *', 'Asia/Seoul'],
  ['every second', '* * * * * *', 'Europe/Berlin'],
  ['hourly', '0 * * * *', 'America/New_York'],
  ['daily', '0 9 * * *', 'UTC'],
  ['daily', '0 9 * * *', 'Asia/Seoul'],
  ['working days', '0 9 * * 1-5', 'America/New_York'],
  ['office hours', '*/15 9-17 * * 1-5', 'Europe/Berlin'],
  ['monthly', '0 0 1 * *', 'Europe/Berlin'],
  ['yearly', '0 0 1 1 *', 'America/New_York'],
  ['in a gap of the clocks', '30 2 * * *', 'America/New_York'],
  ['the 13th or a Friday', '0 0 13 * 5', 'Europe/Berlin'],
  ['last day', '0 0 L * *', 'America/New_York'],
  ['second Friday', '0 9 * * 5#2', 'Asia/Seoul'],
  ['many lists', '1,7,13,29,41,59 0,3,5,9,17,23 1,5,9,13,21,31 1,3,5,8,12 1,3,5', 'Europe/Berlin'],
  ['31 December, last second', '59 59 23 31 12 *', 'Europe/Berlin'],
  ['29 February', '0 0 29 2 *', 'UTC'],
  ['29 February', '0 0 29 2 *', 'Europe/Berlin'],
];

const engines = {
  chronis: {
    prepare(expression, timeZone) {
      const compiled = compileTrigger({ type: 'cron', expression, timeZone }, '');
      return (from) => compiled.next(from.getTime());
    },
    ask: (expression, timeZone, from) =>
      nextOccurrences({ type: 'cron', expression, timeZone }, { from, count: 1 })[0],
  },
  'cron-parser': {
    prepare(expression, tz) {
      const cron = CronExpressionParser.parse(expression, { tz });
      return (from) => (cron.reset(from), cron.next().getTime());
    },
    ask: (expression, tz, currentDate) => CronExpressionParser.parse(expression, { tz, currentDate }).next(),
  },
  croner: {
    prepare(expression, timezone) {
      const cron = new Cron(expression, { timezone, paused: true, fixedTimeRule: 'no-wildcard' });
      return (from) => cron.nextRun(from).getTime();
    },
    ask: (expression, timezone, from) =>
      new Cron(expression, { timezone, paused: true, fixedTimeRule: 'no-wildcard' }).nextRun(from),
  },
  cron: {
    prepare(expression, zone) {
      const cron = new CronTime(expression, zone);
      return (from) => cron.getNextDateFrom(from, zone).toMillis();
    },
    ask: (expression, zone, from) => new CronTime(expression, zone).getNextDateFrom(from, zone),
  },
};

/** Microseconds for one call, of each round, by the name of the call; those that fail are left out. */
function measure(calls, rounds) {
  const samples = new Map(Object.keys(calls).map((name) => [name, []]));
  for (const [name, call] of Object.entries(calls)) {
    try {
      for (const from of froms) call(from);
    } catch {
      samples.delete(name);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of samples) {
      const call = calls[name];
      let asked = 0;
      const begin = performance.now();
      let elapsed = 0;
      do {
        for (const from of froms) call(from);
        asked += froms.length;
        elapsed = performance.now() - begin;
      } while (elapsed < roundMs);
      list.push((elapsed * 1_000) / asked);
    }
  }
  return samples;
}

/** What to ask each engine for one case. */
function prepared(expression, zone) {
  return Object.fromEntries(
    Object.entries(engines).flatMap(([name, engine]) => {
      try {
        return [[name, engine.prepare(expression, zone)]];
      } catch {
        return [];
      }
    }),
  );
}

function asked(expression, zone) {
  return Object.fromEntries(
    Object.entries(engines).map(([name, engine]) => [name, (from) => engine.ask(expression, zone, from)]),
  );
}

/** Prints a line per case; returns the samples. */
function table(title, rounds, callsOf) {
  console.log(`\n${title}, microseconds\n`);
  const names = Object.keys(engines);
  console.log(`| case | zone | ${names.join(' | ')} |\n| --- | --- |${names.map(() => ' ---: |').join('')}`);
  const ratios = new Map(names.slice(1).map((name) => [name, []]));
  const all = [];
  for (const [name, expression, zone] of cases) {
    const found = measure(callsOf(expression, zone), rounds);
    const quickest = (engine) => Math.min(...found.get(engine));
    for (const [peer, list] of ratios) if (found.has(peer)) list.push(quickest(peer) / quickest('chronis'));
    const cells = names.map((engine) => (found.has(engine) ? shown(quickest(engine)) : 'fails'));
    console.log(`| ${name} \`${expression}\` | ${zone} | ${cells.join(' | ')} |`);
    for (const [system, runs] of found) all.push(...samplesOf(system, title, `${expression} ${zone}`, runs));
  }
  const summary = [...ratios].map(([peer, list]) => `${Math.round(median(list))} × ${peer}`);
  console.log(`\nMedian of the cases: ${summary.join(', ')}.`);
  return all;
}

function samplesOf(system, setting, measure, runs) {
  return runs.map((value) => ({ system, setting, measure, value, unit: 'µs', better: 'less' }));
}

function shown(us) {
  return us < 10 ? us.toFixed(2) : us.toFixed(us < 100 ? 1 : 0);
}

function versions() {
  return Object.fromEntries(
    Object.keys(engines).map((name) => [name, versionOf(name === 'chronis' ? 'nestjs-chronis' : name)]),
  );
}

const everything = [
  Array.from({ length: 60 }, (_, index) => index).join(','),
  Array.from({ length: 60 }, (_, index) => index).join(','),
  Array.from({ length: 24 }, (_, index) => index).join(','),
  `${Array.from({ length: 31 }, (_, index) => index + 1).join(',')},L,LW,15W,L-3`,
  'JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC',
  'SUN,MON,TUE,WED,THU,FRI,SAT,MON#1,FRIL',
].join(' ');

/** What no peer can be asked. */
function oursAlone(rounds) {
  console.log('\nOurs alone, microseconds\n');
  return [...legalSearch(), ...reading(rounds), ...longWalk()].flatMap(([measure, runs]) => {
    console.log(`${measure}: ${shown(Math.min(...runs))}`);
    return samplesOf('chronis', 'ours alone', measure, runs);
  });
}

/** The longest legal search: every date falls into a gap of the clocks, so there is no answer. The first call in a process also surveys the zone. */
function legalSearch() {
  const onlyGaps = {
    type: 'cron',
    expression: '30 2 * 3 SUN#2',
    timeZone: 'America/Chicago',
    dst: { gap: 'skip' },
  };
  return ['first', 'second', 'third'].map((call) => {
    const begun = performance.now();
    nextOccurrences(onlyGaps, { from: new Date('2026-01-01T00:00:00Z'), count: 1 });
    return [`only clock gaps, ${call} call`, [(performance.now() - begun) * 1_000]];
  });
}

function reading(rounds) {
  const rarest = { type: 'cron', fields: { month: 2, day: 29, dayOfWeek: 'mon' }, timeZone: 'Europe/Berlin' };
  const rare = compileTrigger(rarest, '');
  const read = (expression) => new WallSchedule(parseCronExpression(expression, '')).everMatches();
  const calls = {
    'reading `0 9 * * 1-5`, nothing remembered': () => read('0 9 * * 1-5'),
    [`reading an expression of ${everything.length} characters, nothing remembered`]: () => read(everything),
    'a leap day that is a Monday, next': (from) => rare.next(from.getTime()),
    'a leap day that is a Monday, the whole question': (from) => nextOccurrences(rarest, { from, count: 1 }),
  };
  return measure(calls, rounds);
}

function longWalk() {
  const years = 50;
  const daily = compileTrigger({ type: 'cron', expression: '0 9 * * *', timeZone: 'Pacific/Auckland' }, '');
  const begin = performance.now();
  const end = froms[0].getTime() + years * 366 * 86_400_000;
  let instants = 0;
  for (let at = froms[0].getTime(); at < end; at = daily.next(at)) instants++;
  const name = `a daily job through ${years} years of a zone never seen before, for each instant`;
  return [[name, [((performance.now() - begin) * 1_000) / instants]]];
}
