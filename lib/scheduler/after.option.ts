import { InvalidOptionError } from '../model/errors.js';
import type { TriggerInput } from '../model/trigger.js';
import { commonKeys } from './common.keys.js';
import { assertJobId } from './job.identity.js';
import { described, knownOptions } from './option.checks.js';
import { timingWays } from './trigger.options.js';

/** What goes with "after", beside the options that all jobs have. */
const afterKeys = ['after', 'need', 'otherwise', 'delay', 'keep'] as const;

const hints = {
  refusePast: 'A job with "after" has no time that could be past.',
  timeZone: 'A job with "after" has no time.',
};

/** Whether options are those of a job that waits for others. */
export function hasAfter(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  return (options as { after?: unknown }).after !== undefined;
}

/** The trigger of a job that waits for others. Throws InvalidOptionError, InvalidJobIdError. */
export function afterTrigger(options: unknown, owner: string): TriggerInput {
  const given = options as Readonly<Record<string, unknown>>;
  const way = [...timingWays, 'trigger'].find((name) => given[name] !== undefined);
  if (way !== undefined) {
    throw new InvalidOptionError(
      way,
      'is a time of its own, but the job waits for those in "after". Leave one of the two out; "delay" says how long after them it begins.',
    );
  }
  const { after, need, otherwise, delay } = knownOptions(
    given,
    [...commonKeys, ...afterKeys],
    `${owner} with "after"`,
    hints,
  );
  if (given.onConflict === 'replace') {
    throw new InvalidOptionError(
      'onConflict',
      "is 'replace', but a job with \"after\" takes nobody's place. Say 'ignore', or delete the other job first.",
    );
  }
  const rest = Object.entries({ need, otherwise, delay }).filter(([, value]) => value !== undefined);
  return { type: 'after', jobs: idsOf(after, given.id), ...Object.fromEntries(rest) };
}

function idsOf(after: unknown, own: unknown): string[] {
  const ids: unknown = typeof after === 'string' ? [after] : after;
  if (!Array.isArray(ids)) {
    throw new InvalidOptionError(
      'after',
      `must be the id of a job, or a list of ids, but is ${described(after)}.`,
    );
  }
  if (ids.length === 0) {
    throw new InvalidOptionError('after', 'names no job. Give the ids of those to wait for, or { in: 0 }.');
  }
  const seen = new Set<string>();
  for (const each of ids as unknown[]) {
    const id = assertJobId(each, 'Give the ids of the jobs to wait for in "after".');
    if (id === own)
      throw new InvalidOptionError('after', `names "${id}", which is the job itself. Leave it out.`);
    if (seen.has(id)) throw new InvalidOptionError('after', `names "${id}" twice. Name it once.`);
    seen.add(id);
  }
  return [...seen];
}
