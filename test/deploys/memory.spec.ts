import { afterAll, describe, test } from 'vitest';
import { scenarios } from './scenarios/scenarios.js';
import { MemoryWorld } from './stage/memory.world.js';
import { Table } from './stage/table.js';

const table = new Table('memory, simulated time');

describe('deploys on memory', () => {
  afterAll(() => table.print());

  for (const scenario of scenarios) {
    test(scenario.name, () => table.play(scenario, new MemoryWorld()));
  }
});
