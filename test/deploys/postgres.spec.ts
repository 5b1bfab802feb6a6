import { afterAll, describe, test } from 'vitest';
import { scenarios } from './scenarios/scenarios.js';
import { PostgresWorld } from './stage/postgres.world.js';
import { Table } from './stage/table.js';

const table = new Table('PostgreSQL, real time');

describe.concurrent('deploys on PostgreSQL', { timeout: 120_000 }, () => {
  afterAll(() => table.print());

  for (const scenario of scenarios.filter(({ isVariation }) => !isVariation)) {
    const leaps = scenario.steps.some((step) => step.leaps);
    test(scenario.name, () => table.play(scenario, new PostgresWorld(leaps)));
  }
});
