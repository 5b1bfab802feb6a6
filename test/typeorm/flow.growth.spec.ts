import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStorage, type NewFlowStep, type StepEnd, type StorageAdapter } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { settle } from '../../lib/testing/laws/fixture.js';
import { claimSteps, openFlow, step, stepOf } from '../../lib/testing/laws/flow.fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// As many edges as one step may add. What looks at each of them for each other takes minutes: the time is the bound.

const boundMs = 30_000;
const width = 100;
const edges = 100_000;

const names = (from: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${from}${i}`);

interface Shape {
  steps: NewFlowStep[];
  end: StepEnd;
  /** One that waits then, and for how many. */
  waiting: [name: string, need: number];
}

const shapes: Record<string, () => Shape> = {
  'after steps that are added': () => {
    const parents = names('p', width);
    const children = names('c', edges / width).map((name) => step(name, parents));
    return {
      steps: [step('a')],
      end: { added: [...parents.map((name) => step(name)), ...children] },
      waiting: ['c0', width],
    };
  },
  'before steps that there are': () => {
    const children = names('c', edges / width);
    const added = names('p', width).map((name) => step(name));
    const joined = children.flatMap((child) =>
      added.map((parent) => ({ parent: parent.name, child, data: true })),
    );
    return {
      steps: [step('a'), step('z'), ...children.map((name) => step(name, ['z']))],
      end: { added, joined },
      waiting: ['c0', width + 1],
    };
  },
  'before a single one, and after steps that are added': () => {
    const parents = names('p', width);
    const children = names('c', 900).map((name) => step(name, parents));
    const added = [...parents.map((name) => step(name)), ...children];
    const joined = added.map(({ name }) => ({ parent: name, child: 'end', data: true }));
    return {
      steps: [step('a'), step('z'), step('end', ['z'])],
      end: { added, joined },
      waiting: ['end', added.length + 1],
    };
  },
};

describe('a step that adds as many edges as it may', () => {
  const client = new pg.Client(databaseUrl());
  const schema = freshSchema('flow_growth');
  let postgres: StorageAdapter;

  beforeAll(async () => {
    await client.connect();
    postgres = newStorage({ schema });
    await postgres.init();
  }, 60_000);

  afterAll(async () => {
    await postgres.close();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  const storages: Record<string, () => StorageAdapter> = {
    memory: () => new MemoryStorage({ clock: new ManualClock() }),
    PostgreSQL: () => postgres,
  };
  const all = Object.keys(storages).flatMap((kind) =>
    Object.keys(shapes).map((shape) => [kind, shape] as const),
  );

  test.each(all)(
    'has ended after a moment: in %s, %s',
    async (kind, shape) => {
      const storage = storages[kind]!();
      const { steps, end, waiting } = shapes[shape]!();
      const { runId, worker } = await openFlow(storage, steps, { job: { id: shape } });
      const { a } = await claimSteps(storage, worker);
      await settle(storage, a!, { flowStep: end });
      const [name, need] = waiting;
      expect(await stepOf(storage, runId, name)).toMatchObject({ state: 'waiting', need });
      await storage.cancelRun(runId);
    },
    boundMs,
  );
});
