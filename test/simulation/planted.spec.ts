import { expect, test } from 'vitest';
import { findViolations } from './history.checker.js';
import { planted, plantedInDeploys, plantedInOpen, plantedInSteps } from './planted.js';
import { playScenario, type Kind, type Spoil } from './scenario.js';

/** Where to begin to look: rare ones have a seed of their own that shows them. Once histories change it is another one, which takes a while to be found. */
const firstSeeds: Readonly<Record<string, number>> = {
  'settles whatever it is asked to, whoever owns the run': 3,
  'hands to others what must not run twice': 2,
  'releases nothing while one of the runs is locked': 7,
  'compares sets of declarations as a whole': 3,
  'decides what is in force at boots only': 2,
  'compares whole sets, and at boots only': 2,
  'writes what a boot declares before it is refused': 4,
};

async function noticedIn(name: string, spoil: Spoil, kind: Kind): Promise<string[]> {
  const first = firstSeeds[name] ?? 1;
  let noticed: string[] = [];
  for (let seed = first; noticed.length === 0 && seed < first + 75; seed++) {
    noticed = await findViolations(await playScenario(seed, spoil, kind));
  }
  return noticed;
}

test.each(Object.entries(planted))(
  'the checker notices a storage that %s',
  async (name, spoil) => expect(await noticedIn(name, spoil, 'stormy')).not.toEqual([]),
  120_000,
);

test.each(Object.entries(plantedInOpen))(
  'the checker notices a storage that %s',
  async (name, spoil) => expect(await noticedIn(name, spoil, 'open')).not.toEqual([]),
  120_000,
);

test.each(Object.entries(plantedInSteps))(
  'the checker notices a storage that %s',
  async (name, spoil) => expect(await noticedIn(name, spoil, 'steps')).not.toEqual([]),
  120_000,
);

test.each(Object.entries(plantedInDeploys))(
  'the checker notices a storage that %s',
  async (name, spoil) => expect(await noticedIn(name, spoil, 'deploys')).not.toEqual([]),
  120_000,
);
