import type { Job, SchedulerService } from '../../../lib/index.js';
import type { Release } from './release.js';
import { told, type Expected, type Schedule } from './schedules.js';
import type { Step } from './scenario.js';

/** Starts the instances of a release, beside what runs already. `release`: not needed of a version that ran before. */
export function deploy(version: string, release?: Release): Step {
  const size = release ? ` (${sizeOf(release)})` : '';
  return { says: `${version} starts${size}`, play: (stage) => stage.start(version, release) };
}

/** All instances of a release start at the same moment. */
export function atOnce(version: string, release: Release): Step {
  return {
    says: `${version} starts at once (${sizeOf(release)})`,
    play: (stage) => stage.start(version, release, { atOnce: true }),
  };
}

/** One instance of each role, beside what runs already. */
export function canary(version: string, release: Release): Step {
  const one = { ...release, replicas: 1 };
  return { says: `canary ${version}`, play: (stage) => stage.start(version, one) };
}

/** A rolling update: a new instance for each old one, which goes when the new one is up. `release`: not needed of a version that ran before. */
export function roll(from: string, to: string, release?: Release): Step {
  return {
    says: `${from} is rolled to ${to}`,
    async play(stage) {
      for (const old of stage.live(from)) {
        await stage.start(to, release, { role: old.role });
        await stage.stop(old.name);
      }
    },
  };
}

/** All new instances first, then all old ones go. */
export function swap(from: string, to: string, release?: Release): Step {
  return {
    says: `${to} beside ${from}, then ${from} goes`,
    async play(stage) {
      await stage.start(to, release);
      await stage.stop(from);
    },
  };
}

/** The old instances go before the new ones come, as where there may be one only. */
export function replace(from: string, to: string, release?: Release): Step {
  return {
    says: `${from} goes, then ${to} comes`,
    async play(stage) {
      await stage.stop(from);
      await stage.start(to, release);
    },
  };
}

/** Back to a version that ran before, one instance after the other. */
export function rollback(from: string, to: string): Step {
  return { ...roll(from, to), says: `${from} is rolled back to ${to}` };
}

/** Instances go, in an orderly way: those of a version, of one of its roles, or one: `v1`, `v1 web`, `v1 web 2`. */
export function stop(who: string): Step {
  return { says: `${who} goes`, play: (stage) => stage.stop(who) };
}

/** Instances die without a word. */
export function crash(who: string): Step {
  return { says: `${who} crashes`, play: (stage) => stage.crash(who) };
}

/** Instances go and come again as they were. */
export function restart(who: string): Step {
  return { says: `${who} restarts`, play: (stage) => stage.restart(who) };
}

/** A start that is refused with this error has written nothing. */
export function refused(version: string, release: Release, because: string): Step {
  return { says: `${version} is refused`, play: (stage) => stage.refuse(version, release, because) };
}

/** Nobody is there for so long. */
export function allDown(minutes: number): Step {
  return {
    says: `all are down for ${minutes} min`,
    leaps: true,
    async play(stage) {
      for (const { name } of stage.live('')) await stage.stop(name);
      await stage.leap(minutes);
    },
  };
}

/** All crash, and nobody is there for so long. */
export function allCrash(minutes: number): Step {
  return {
    says: `all crash, and ${minutes} min pass`,
    leaps: true,
    async play(stage) {
      for (const { name } of stage.live('')) await stage.crash(name);
      await stage.leap(minutes);
    },
  };
}

/**
 * So many minutes pass while some are there. On PostgreSQL nobody waits for them: what is gone is made to have gone so much earlier, by its rows,
 * those that are there to have been there for so much longer, and then the janitor's work is done.
 */
export function later(minutes: number): Step {
  return { says: `${minutes} min later`, play: (stage) => stage.wait(minutes) };
}

/** A minute later an instance looks again at an id that was taken. On PostgreSQL nobody waits for that: it restarts. */
export function looksAgain(who: string): Step {
  return { says: `${who} looks again`, play: (stage) => stage.lookAgain(who) };
}

/** The methods run at exactly these instants from now on, for so many ticks: from ten seconds after what happened before at the latest, and others do not run. */
export function during(ticks: number, expected: Record<string, Expected>): Step {
  const what = Object.entries(expected).map(([method, schedule]) => `${method} ${told(schedule)}`);
  return { says: what.join(', ') || 'nothing runs', play: (stage) => stage.during(ticks, expected) };
}

/** What can be said of a stored job. */
export interface StoredAs extends Partial<Pick<Job, 'state' | 'app' | 'payload' | 'orphanedAt'>> {
  /** It has counted as many runs as this method was seen to run. */
  runsOf?: string;
}

/** How a job is stored, ten seconds later at the latest; null: not at all. */
export function stored(id: string, as: StoredAs | null): Step {
  const { runsOf, ...more } = as ?? {};
  const what = [
    ...Object.entries(more).map(([key, value]) =>
      value === null ? 'is not orphaned' : `has the ${key} ${JSON.stringify(value)}`,
    ),
    ...(runsOf ? ['has its history'] : []),
  ];
  return {
    says: `"${id}" ${as === null ? 'is gone' : what.join(', ')}`,
    play: (stage) => stage.stored(id, as),
  };
}

/** A call of the service of one live instance. */
export function call(says: string, who: string, work: Call): Step {
  return { says, play: (stage) => stage.call(who, work) };
}

/** `expressionOf`: a schedule as the service takes it. */
export type Call = (
  scheduler: SchedulerService,
  expressionOf: (schedule: Schedule) => string,
) => Promise<unknown>;

function sizeOf({ roles, replicas = 1, app, clockAheadByMinutes: ahead }: Release): string {
  const names = Object.keys(roles).join(', ');
  const clock = ahead === undefined ? '' : `, clock off by ${ahead} min`;
  return `${app === undefined ? '' : `app ${app}: `}${replicas === 1 ? '' : `${replicas} × `}${names}${clock}`;
}
