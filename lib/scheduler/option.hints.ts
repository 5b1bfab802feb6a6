import { managerHint } from './option.checks.js';
import { cronFieldKeys, durationPartKeys, timingKeys } from './trigger.options.js';

type Hints = Readonly<Record<string, string>>;

const oneOffCalls = 'createDateJob(), or schedule() with "at" or "in"';
const ofOneOffs = hintsFor(['keep', 'refusePast'], `It is for one-offs: ${oneOffCalls}.`);
const oneOffTimes = hintsFor(['at', 'in', 'runAt'], `What is due once is created by ${oneOffCalls}.`);
const pace = 'What recurs at a pace is created by createIntervalJob(), or schedule() with "every".';
const calendar = 'What recurs by the calendar is created by createCronJob(), or schedule() with "cron".';
const ofPaces = [...onlyIn('interval', 'cron'), 'every'];
const ofCalendars = [...onlyIn('cron', 'interval'), 'cron', 'expression', 'fields'];
/** What is one letter away from the part of a duration that was probably meant. */
const parts: readonly string[] = durationPartKeys;
const otherFields = cronFieldKeys.filter((field) => !parts.includes(`${field}s`));

/** Where options belong that are looked for in `createIntervalJob`. */
export const intervalHints: Hints = {
  ...managerHint,
  ...ofOneOffs,
  ...oneOffTimes,
  ...hintsFor([...ofCalendars, ...otherFields], calendar),
};

/** The same of `createCronJob`. A part of a duration is no misspelt field: every five minutes is not at five past. */
export const cronHints: Hints = {
  ...managerHint,
  ...ofOneOffs,
  ...oneOffTimes,
  ...hintsFor([...ofPaces, ...durationPartKeys], pace),
};

/** The same of `createDateJob`. */
export const dateHints: Hints = {
  ...managerHint,
  ...hintsFor(ofPaces, pace),
  ...hintsFor(durationPartKeys, `A delay is given as { in: { minutes: 5 } }. ${pace}`),
  ...hintsFor([...ofCalendars, ...cronFieldKeys], calendar),
};

/** The same of `schedule` and all that take one of several ways to say when. */
export const scheduleHints: Hints = {
  ...managerHint,
  trigger: 'A trigger as data is for createJob().',
  ...hintsFor(['need', 'otherwise'], 'It goes with "after".'),
};

/** The same of `updateJob`, which takes what is not about the job as an argument of its own. */
export const updateHints: Hints = {
  ...managerHint,
  ...Object.fromEntries(
    ['by', 'expectedRevision', 'namespace'].map((key) => [
      key,
      `Give it as an argument of its own, the last one: { ${key} }.`,
    ]),
  ),
  ...hintsFor(['refusePast'], 'It is for jobs that are created.'),
};

/** What is said of many jobs at once concerns all of them. */
export const wholeFilterHints: Hints = {
  ...managerHint,
  ...hintsFor(['limit', 'cursor', 'orderBy'], 'All that meet the filter are concerned. Leave it out.'),
  all: 'Give it behind the filter, as an argument of its own: ({}, { all: true }).',
  dryRun: 'Give it behind the filter, as an argument of its own: (filter, { dryRun: true }).',
};

/** Of options that go with some ways to say when, and not with the one that is given. */
export function hintsOfWays(keysOfWays: Readonly<Record<string, readonly string[]>>): Hints {
  const keys = new Set(Object.values(keysOfWays).flat());
  const waysOf = (key: string): string =>
    Object.keys(keysOfWays)
      .filter((way) => keysOfWays[way]!.includes(key))
      .map((way) => `"${way}"`)
      .join(' or ');
  return Object.fromEntries([...keys].map((key) => [key, `It goes with ${waysOf(key)}.`]));
}

function hintsFor(keys: readonly string[], hint: string): Hints {
  return Object.fromEntries(keys.map((key) => [key, hint]));
}

function onlyIn(one: 'cron' | 'interval', other: 'cron' | 'interval'): string[] {
  const others: readonly string[] = timingKeys[other];
  return timingKeys[one].filter((key) => !others.includes(key));
}
