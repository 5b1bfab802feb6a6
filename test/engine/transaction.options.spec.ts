import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { EngineRig } from '../support/engine.js';

let rig: EngineRig;

beforeEach(() => {
  rig = new EngineRig();
});

afterEach(() => rig.stop(60_000));

type Handler = (context: RunContext) => unknown;

const work = () => expect.fail('Nothing is to begin.');
const transaction =
  (...given: unknown[]): Handler =>
  (context) =>
    (context.transaction as (...args: unknown[]) => unknown)(...given);
const open =
  (options: unknown): Handler =>
  (context) =>
    context.open(options as never);

test.each<[Handler, string]>([
  [
    transaction(work, { datasource: {} }),
    'datasource: context.transaction() has no such option. Did you mean "dataSource"?',
  ],
  [
    transaction(work, { isolationLevel: 'SERIALIZABLE' }),
    'isolationLevel: context.transaction() has no such option. There are: dataSource, begin.',
  ],
  [
    transaction(work, { begin: work, dataSource: {} }),
    'context.transaction(): give dataSource or begin, not both.',
  ],
  [transaction(work, { begin: {} }), 'begin: must be a function that begins a transaction, but is {}.'],
  [transaction(work, null), 'options: context.transaction() takes an object, but was given null.'],
  [transaction(work, 'x'), "options: context.transaction() takes an object, but was given 'x'."],
  [
    transaction(),
    'context.transaction(): takes the function that does the work first, but was given undefined.',
  ],
  [
    transaction('SERIALIZABLE', work),
    "context.transaction(): takes the function that does the work first, but was given 'SERIALIZABLE'.",
  ],
  [open('2d'), "options: context.open() takes an object, but was given '2d'."],
  [open({ deadlin: '2d' }), 'deadlin: context.open() has no such option. Did you mean "deadline"?'],
])('a handler is told what there is, not left to what was not meant: %#', async (handler, message) => {
  rig.handle('work', handler);
  await rig.engine.start();
  await rig.add({ policies: {} });
  await rig.clock.advanceBy(30_000);
  const [attempt] = (await rig.storage.queryAttempts({}, {})).items;
  expect(attempt).toMatchObject({ outcome: 'failed', error: expect.stringContaining(message) as unknown });
});
