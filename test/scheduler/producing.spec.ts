import { Injectable } from '@nestjs/common';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  defineJob,
  HandlerNotFoundError,
  handlerOf,
  JobHandler,
  type ChronisModuleOptions,
  type RunContext,
} from '../../lib/index.js';
import type { ManualClock } from '../../lib/testing/manual.clock.js';
import type { NestApp } from '../support/nest.app.js';
import { processesForEachTest } from '../support/processes.for.each.test.js';
import { wrong } from '../support/refusal.js';

const Greet = defineJob<{ to: string }>('greet');
const payload = { to: 'Ada' };

describe('a process that only creates jobs', () => {
  let clock: ManualClock;
  let ran: string[];
  const boot = processesForEachTest((fresh) => ({ clock } = fresh));

  beforeEach(() => {
    ran = [];
  });

  @Injectable()
  class Jobs {
    @JobHandler('work')
    work({ job }: RunContext): void {
      ran.push(job.id);
    }
    @Greet.Handle()
    greet({ job }: RunContext<{ to: string }>): void {
      ran.push(job.id);
    }
  }

  const api = (chronis: ChronisModuleOptions = {}): Promise<NestApp> =>
    boot({ autoStart: false, ...chronis });
  const worker = (chronis: ChronisModuleOptions = {}): Promise<NestApp> => boot(chronis, Jobs);

  /** Also the second time. */
  async function refused(creating: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < 2; i++) await expect(creating()).rejects.toThrow(HandlerNotFoundError);
  }

  test('may name a handler that a worker has had, while none lives', async () => {
    await (await worker()).close();
    const { scheduler } = await api();
    await scheduler.createDateJob({ id: 'a', handler: 'work', in: '1m', onSuccess: 'greet' });
    await scheduler.schedule('work', { id: 'b', in: '1m' });
    await scheduler.upsert({ id: 'c', handler: 'work', in: '1m' });
    await scheduler.createMany([{ id: 'd', handler: 'work', in: '1m' }]);
    await scheduler.updateJob('d', { handler: 'greet' });
    await refused(() => scheduler.createDateJob({ handler: 'wrok', in: '1m' }));
    await expect(scheduler.schedule('wrok', { in: '1m' })).rejects.toThrow('Known: greet, work.');
    await clock.advanceBy(60_000);
    await worker();
    await clock.advanceBy(1_000);
    expect(ran).toEqual(expect.arrayContaining(['a', 'b', 'c', 'd']));
  });

  test('asks who has a handler once, and for what nobody has each time', async () => {
    await (await worker()).close();
    const { scheduler, storage: own } = await api();
    let asked = 0;
    const queryWorkers = own.queryWorkers.bind(own);
    own.queryWorkers = () => {
      asked++;
      return queryWorkers();
    };
    for (let i = 0; i < 3; i++) {
      await scheduler.schedule('work', { in: '1m' });
      await clock.advanceBy(60_000);
    }
    expect(asked).toBe(1);
    await refused(() => scheduler.schedule('wrok', { in: '1m' }));
    expect(asked).toBe(3);
  });

  test('may name a handler that a worker of another role has had, while others live', async () => {
    await (await worker()).close();
    await boot({});
    await (await api()).scheduler.schedule('work', { in: '1m' });
  });

  test('is believed what it refers to, before any worker was there', async () => {
    const { scheduler } = await api();
    await scheduler.schedule(Greet, { id: 'a', payload, in: '1m' });
    await scheduler.createMany([{ id: 'b', handler: Greet, payload, in: '1m' }]);
    await scheduler.schedule(handlerOf(Jobs, 'work'), { id: 'c', in: '1m' });
    await scheduler.updateJob('c', { handler: Greet, payload });
    await refused(() => scheduler.schedule(Greet, { payload, in: '1m', onSuccess: 'wrok' }));
    await refused(() => scheduler.schedule('greet', { payload, in: '1m' }));
    await clock.advanceBy(60_000);
    await worker();
    await clock.advanceBy(1_000);
    expect(ran.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('is believed what it refers to in an app that is not its own, also where it runs jobs', async () => {
    const { scheduler } = await worker({ app: 'shop' });
    await scheduler.schedule(Greet, { id: 'a', app: 'billing', payload, in: '1m' });
    await worker({ app: 'billing' });
    await clock.advanceBy(60_000);
    expect(ran).toEqual(['a']);
  });

  test('a process that runs jobs itself is told that nobody has what it refers to', async () => {
    const { scheduler } = await boot({});
    await refused(() => scheduler.schedule(Greet, { payload, in: '1m' }));
    const idle = await api();
    await idle.scheduler.start();
    await refused(() => idle.scheduler.schedule(Greet, { payload, in: '1m' }));
  });

  test('may be allowed all handlers by the module, or one by its definition; a job may say otherwise', async () => {
    const { scheduler } = await boot({ allowUnknownHandler: true });
    const given = { in: '1m' };
    await scheduler.schedule('later', { ...given, id: 'a', onSuccess: 'later still' });
    await scheduler.createMany([{ ...given, id: 'b', handler: 'later' }]);
    await scheduler.updateJob('b', { onFailure: 'later' });
    const no = { allowUnknownHandler: false };
    await refused(() => scheduler.schedule('later', { ...given, ...no }));
    await refused(() => scheduler.updateJob('b', { onFailure: 'later still', ...no }));

    const strict = (await boot({})).scheduler;
    const Later = defineJob('later', { allowUnknownHandler: true });
    await strict.schedule(Later, { ...given, id: 'c', onSuccess: 'later still' });
    await strict.createMany([{ ...given, id: 'd', handler: Later }]);
    await strict.updateJob('d', { handler: Later });
    await refused(() => strict.schedule(Later, { ...given, ...no }));
    expect(await scheduler.countJobs()).toBe(4);
  });

  test('cannot be allowed by what is neither true nor false', async () => {
    const option = { allowUnknownHandler: wrong('yes') };
    const message = /^allowUnknownHandler: must be true or false/;
    await expect(boot(option)).rejects.toThrow(message);
    const { scheduler } = await api();
    const Odd = defineJob('odd', option);
    await expect(scheduler.schedule(Odd, { in: '1m' })).rejects.toThrow(message);
    await expect(scheduler.schedule('odd', { in: '1m', ...option })).rejects.toThrow(message);
  });
});
