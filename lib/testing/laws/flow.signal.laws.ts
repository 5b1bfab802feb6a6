import assert from 'node:assert/strict';
import { addOneOff, claimOne, holdOf, settle } from './fixture.js';
import { claimSteps, endOpen, flowLawsOf, lastingWorker, openAs, openFlow, step } from './flow.fixture.js';

const signal = { name: 'go', payload: 1 };

export const flowSignalLaws = flowLawsOf('a signal to a flow', {
  'is refused from its begin on, as nothing would take it': async ({ storage }) => {
    const worker = await lastingWorker(storage);
    await addOneOff(storage);
    const opener = await claimOne(storage, worker);
    assert.equal(await storage.sendRunSignal(opener.id, signal), 'sent', 'It may be any run.');
    await openAs(storage, opener, [step('a')]);
    assert.equal(await storage.sendRunSignal(opener.id, signal), 'unheard');
    const { a } = await claimSteps(storage, worker);
    assert.equal(await storage.sendRunSignal(a.id, signal), 'sent');
    await endOpen(storage, opener.id);
    assert.equal(await storage.sendRunSignal(opener.id, signal), 'unheard', 'It is ending.');
    await settle(storage, a);
    assert.equal(await storage.sendRunSignal(opener.id, signal), null, 'It is over.');
  },

  'that did not come in time is waited for anew by the step when its flow is retried, at once or behind its parents':
    async ({ storage, clock }) => {
      const steps = [step('a'), step('at once'), step('behind', ['a'], { need: 1 })];
      const { runId, worker } = await openFlow(storage, steps);
      const { a, 'at once': once } = await claimSteps(storage, worker);
      await settle(storage, a);
      const { behind } = await claimSteps(storage, worker);
      const until = (await storage.now()) + 1_000;
      for (const run of [once!, behind!]) {
        const wait = {
          name: 'wait',
          kind: 'signal',
          position: 1,
          attempt: 1,
          startedAt: run.nominalAt,
        } as const;
        await storage.takeRunSignal(holdOf(run), { ...wait, signal: 'go', until, after: [], ended: 1 });
        await clock.advance(2_000);
        const over = await storage.takeRunSignal(holdOf(run), {
          ...wait,
          signal: 'go',
          until,
          after: [],
          ended: 1,
        });
        assert.equal(over!.timedOut, true);
        await settle(storage, run, { outcome: 'failed', error: 'no' });
      }
      const again = await storage.flows!.retryFlow(runId, null);
      const page = await storage.flows!.queryFlowSteps(
        again!.id,
        { names: ['at once', 'behind'] },
        { limit: 2 },
      );
      for (const { runId: its } of page!.items) assert.deepEqual(await storage.queryRunSteps(its!), []);
      for (const { id } of [once!, behind!]) assert.deepEqual(await storage.queryRunSteps(id), []);
    },

  'is refused of a manual step, not of one that a handler has left open': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('manual', [], { kind: 'manual' }), step('left')]);
    const { left } = await claimSteps(storage, worker);
    await settle(storage, left, { outcome: 'opened' });
    assert.equal(await storage.sendRunSignal(left.id, signal), 'sent', 'It may be tried again.');
    const page = await storage.flows!.queryFlowSteps(runId, { names: ['manual'] }, { limit: 1 });
    const manual = page!.items[0]!.runId!;
    assert.equal(await storage.sendRunSignal(manual, signal), 'unheard');
    await endOpen(storage, manual, { outcome: 'failed' });
    await endOpen(storage, left.id, { outcome: 'failed' });
    const again = await storage.flows!.retryFlow(runId, null);
    assert.ok(again);
    assert.equal(await storage.sendRunSignal(again.id, signal), 'unheard');
  },
});
