import assert from 'node:assert/strict';
import { addOneOff, claimOne, startWorker } from './fixture.js';
import { flowLawsOf, openAs, openFlow, runNext, step } from './flow.fixture.js';

export const flowUnservedLaws = flowLawsOf('handlers that flows need', {
  'are told by workflow and version, as long as a step that calls them has not ended': async (
    { storage },
    flows,
  ) => {
    const graph = [step('a'), step('b', ['a'], { handler: 'gone' }), step('c', ['a'], { handler: 'gone' })];
    const job = { app: 'shop' };
    const { worker } = await openFlow(storage, graph, { version: 3, job: { ...job, id: 'one' } });
    const told = (handlers: string[] = ['work'], limit = 10) => flows.unservedSteps('shop', handlers, limit);
    const gone = { workflow: 'nightly', version: 3, handler: 'gone', flows: 1 };
    assert.deepEqual(await told(), [gone]);
    assert.deepEqual(await told(['work', 'gone']), []);
    const ofWork = { ...gone, handler: 'work' };
    assert.deepEqual(await told([]), [gone, ofWork]);
    await runNext(storage, worker);
    assert.deepEqual(await told([]), [gone]);
  },

  'are counted by flows, of the app and of none, up to a limit, until these are over': async (
    { storage },
    flows,
  ) => {
    const graph = [step('a', [], { handler: 'gone', kind: 'manual' })];
    const opened: string[] = [];
    for (const [id, app, version] of [
      ['one', 'shop', null],
      ['two', 'shop', 2],
      ['three', null, 2],
      ['four', 'office', 2],
    ] as const) {
      const handler = `open-${id}`;
      await addOneOff(storage, { id, app, handler });
      const worker = await startWorker(storage, { app: app ?? 'shop', handlers: [handler] });
      const run = await claimOne(storage, worker);
      await openAs(storage, run, graph, { version });
      opened.push(run.id);
    }
    const gone = { workflow: 'nightly', handler: 'gone' };
    const told = async (limit: number) =>
      (await flows.unservedSteps('shop', [], limit)).map(({ version, flows: count, ...rest }) => {
        assert.deepEqual(rest, gone);
        return [version, count];
      });
    assert.deepEqual(await told(10), [
      [null, 1],
      [2, 2],
    ]);
    assert.deepEqual(await told(2), [
      [null, 1],
      [2, 1],
    ]);
    await storage.cancelRun(opened[1]!);
    assert.deepEqual(await told(10), [
      [null, 1],
      [2, 1],
    ]);
  },
});
