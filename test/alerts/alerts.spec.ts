import { createHmac } from 'node:crypto';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AlertChannel,
  ChronisAlertsModule,
  slack,
  webhook,
  type Alert,
  type ChronisAlertsOptions,
} from '../../lib/alerts/index.js';
import { ChronisEvents, ChronisModule, MemoryStorage, type ChronisOptions } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { Receiver } from '../support/receiver.js';
import { run } from '../support/run.event.js';

const minutes = 60_000;
/** To the end of the window, and no further: what begins then is on its way by real time. */
const window = 5 * minutes + 100;
let clock: ManualClock;
let storage: MemoryStorage;
let receiver: Receiver;
const apps: INestApplicationContext[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  storage = new MemoryStorage({ clock });
  receiver = await Receiver.listen();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await receiver.close();
});

/** A process of the application, which runs nothing. */
async function boot(alerts: ChronisAlertsOptions, more: ChronisOptions = {}): Promise<ChronisEvents> {
  @Module({
    imports: [
      ChronisAlertsModule.forRoot(alerts),
      ChronisModule.forRoot({ storage, clock, log: false, autoStart: false, name: 'worker-1', ...more }),
    ],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  return app.get(ChronisEvents);
}

/** The same channel, of which is known what it has done. */
class Watched extends AlertChannel {
  tries = 0;
  private look = (): void => undefined;

  constructor(private readonly channel: AlertChannel) {
    super();
  }

  send(alert: Alert, signal: AbortSignal): Promise<void> {
    return this.channel.send(alert, signal).finally(() => {
      this.tries++;
      this.look();
    });
  }

  /** Resolves when so many tries have ended in all, and what follows at once has begun. */
  async until(tries: number): Promise<void> {
    while (this.tries < tries) await new Promise<void>((resolve) => (this.look = resolve));
    await clock.advanceBy(0);
  }
}

let channel: Watched;
const failed = { ...run, error: new Error('out of paper'), fingerprint: 'abc' };
const onFailure = (): ChronisAlertsOptions => ({
  rules: [{ on: 'run.failed', to: (channel = new Watched(webhook({ url: receiver.url }))) }],
});

describe('an alert', () => {
  test('says what has happened, where, and how often', async () => {
    const events = await boot(onFailure());
    events.emit('run.failed', failed);
    await receiver.until(1);
    const { group, at, ...alert } = receiver.json[0] as Alert;
    expect(alert).toEqual({
      ...{ state: 'firing', rule: 'rule 1', event: 'run.failed', count: 1, instance: 'worker-1' },
      title: 'Run 42 of "daily" (Reports.daily) failed after 1234 ms: out of paper',
      text: expect.stringMatching(/out of paper/) as string,
      ...{ namespace: 'default', jobId: 'daily', runId: '42', handler: 'Reports.daily', queue: 'default' },
      fingerprint: 'abc',
    });
    expect([group, at]).toEqual([
      expect.stringMatching(/^[\da-f]{32}$/),
      new Date(clock.now()).toISOString(),
    ]);
  });

  test('is one for each kind of failure of a handler in a window, and the next one says how many there were', async () => {
    const events = await boot(onFailure());
    for (let nth = 0; nth < 5; nth++) events.emit('run.failed', { ...failed, jobId: `one-off ${nth}` });
    events.emit('run.failed', { ...failed, fingerprint: 'other' });
    await channel.until(2);
    await clock.advanceBy(window);
    await channel.until(3);
    expect(receiver.json.map(({ count, fingerprint }: Alert) => [fingerprint, count])).toEqual([
      ['abc', 1],
      ['other', 1],
      ['abc', 4],
    ]);
  });

  test('is one of all processes, window by window', async () => {
    const options = onFailure();
    const all = [await boot(options), await boot(options), await boot(options)];
    for (let nth = 1; nth <= 3; nth++) {
      for (const events of all) events.emit('run.failed', failed);
      await channel.until(nth);
      expect(receiver.received).toHaveLength(nth);
      await clock.advanceBy(12 * minutes);
    }
    expect(receiver.json.map(({ state }: Alert) => state)).toEqual(['firing', 'firing', 'firing']);
  });

  test('is told as resolved, once, when any process has seen the end', async () => {
    const to = (channel = new Watched(webhook({ url: receiver.url })));
    const rules = [{ on: 'wake.unavailable' as const, to }];
    const [one, two] = [await boot({ rules }), await boot({ rules })];
    one.emit('wake.unavailable', { error: new Error('gone') });
    await channel.until(1);
    two.emit('wake.recovered', {});
    one.emit('wake.recovered', {});
    await channel.until(2);
    one.emit('wake.unavailable', { error: new Error('gone') });
    await clock.advanceBy(window);
    await channel.until(3);
    const alerts = receiver.json as Alert[];
    expect(alerts.map(({ state }) => state)).toEqual(['firing', 'resolved', 'firing']);
    expect(new Set(alerts.map(({ group }) => group)).size).toBe(1);
  });

  test('that a job is overdue is told as resolved when that job is not any more, and not by another one', async () => {
    const to = (channel = new Watched(webhook({ url: receiver.url })));
    const events = await boot({ rules: [{ on: 'job.overdue', to }] });
    const overdue = (id: string) => ({
      ...{ namespace: 'default', id, dueAt: new Date(clock.now() - 10 * minutes), lateAfterMs: 5 * minutes },
    });
    events.emit('job.overdue', overdue('report'));
    await channel.until(1);
    events.emit('job.overdue', overdue('other'));
    await channel.until(2);
    events.emit('job.overdue.ended', overdue('report'));
    await channel.until(3);
    await clock.advanceBy(window);
    const told = (receiver.json as Alert[]).map(({ state, event, jobId }) => [state, event, jobId]);
    expect(told).toEqual([
      ['firing', 'job.overdue', 'report'],
      ['firing', 'job.overdue', 'other'],
      ['resolved', 'job.overdue', 'report'],
    ]);
  });

  test('of a storage that does not answer goes out all the same', async () => {
    const events = await boot({ rules: [{ on: 'storage.failing', to: webhook({ url: receiver.url }) }] });
    storage.lock.acquire = () => Promise.reject(new Error('gone'));
    events.emit('storage.failing', { operation: 'claim', error: new Error('gone'), retryInMs: 1 });
    await receiver.until(1);
    expect(receiver.json[0].event).toBe('storage.failing');
  });

  test('is only of what the rule is about', async () => {
    const to = webhook({ url: receiver.url });
    const events = await boot({ rules: [{ on: ['failed', 'lost'], where: { handler: ['a', 'b'] }, to }] });
    events.emit('run.failed', { ...failed, handler: 'c' });
    events.emit('run.failed', { ...failed, handler: 'a' });
    events.emit('run.lost', { ...run, handler: 'b' });
    await receiver.until(2);
    expect(receiver.json.map(({ event, handler }: Alert) => [event, handler])).toEqual([
      ['run.failed', 'a'],
      ['run.lost', 'b'],
    ]);
  });

  test('has no secrets, and is of a bounded length', async () => {
    const by = (text: unknown) => String(text).replaceAll('4711', '#');
    const events = await boot(onFailure(), { redact: by });
    const error = new Error(`card 4711 at redis://a:hunter2@c ${'x'.repeat(50_000)}`);
    events.emit('run.failed', { ...failed, error });
    await receiver.until(1);
    const { body } = receiver.received[0]!;
    expect(body).toContain('card # at redis://a:***@c');
    expect(body).not.toMatch(/hunter2|4711/);
    expect(body.length).toBeLessThan(4_000);
  });
});

describe('a channel', () => {
  test('signs what it posts, with the headers that it was given', async () => {
    const to = webhook({ url: `${receiver.url}/x?y=1`, headers: { Authorization: 'Bearer z' }, secret: 's' });
    (await boot({ rules: [{ on: 'failed', to }] })).emit('run.failed', failed);
    await receiver.until(1);
    const { path, headers, body } = receiver.received[0]!;
    expect([path, headers.authorization, headers['content-type']]).toEqual([
      ...['/x?y=1', 'Bearer z', 'application/json'],
    ]);
    const [, t, v1] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['x-chronis-signature']))!;
    expect(v1).toBe(createHmac('sha256', 's').update(`${t}.${body}`).digest('hex'));
  });

  test('of Slack gets text that mentions nobody and formats nothing', async () => {
    const events = await boot({ rules: [{ on: 'failed', to: slack({ url: receiver.url }), name: 'a_b' }] });
    const error = new Error('<!channel> & <https://x|y> ``` *bold*');
    events.emit('run.failed', { ...failed, jobId: '<!here>*x*', error });
    await receiver.until(1);
    const { text } = receiver.json[0] as { text: string };
    expect(text).toContain('&lt;!here&gt;*\u200bx*\u200b');
    expect(text).toContain('&lt;!channel&gt; &amp; &lt;https://x|y&gt;');
    expect(text).toContain('_a_\u200bb · worker-1_');
    expect(text.replaceAll('&lt;', '')).not.toMatch(/<|>/);
  });

  test('tries again when the receiver is busy or broken, as late as that asks, and not when it says no', async () => {
    await receiver.close();
    const busy = { status: 429, headers: { 'retry-after': '7' } };
    receiver = await Receiver.listen((nth) => [busy, 500, 200, 404, 200][nth]!);
    const events = await boot(onFailure());
    events.emit('run.failed', failed);
    await channel.until(1);
    await clock.advanceBy(6_999);
    expect(receiver.received).toHaveLength(1);
    await clock.advanceBy(1);
    await channel.until(2);
    await clock.advanceBy(5_000);
    await channel.until(3);
    events.emit('run.failed', { ...failed, fingerprint: 'refused' });
    events.emit('run.failed', { ...failed, fingerprint: 'next' });
    await channel.until(5);
    expect(receiver.json.map(({ fingerprint }: Alert) => fingerprint)).toEqual([
      ...['abc', 'abc', 'abc', 'refused', 'next'],
    ]);
  });

  test('that hangs is given up after ten seconds, and keeps no event waiting', async () => {
    await receiver.close();
    receiver = await Receiver.listen((nth) => (nth === 0 ? 'hang' : 200));
    const events = await boot(onFailure());
    events.emit('run.failed', failed);
    await receiver.until(1);
    await clock.advanceBy(10_000);
    await clock.advanceBy(1_000);
    await receiver.until(2);
    expect(receiver.json[1].runId).toBe('42');
  });

  test('that is too slow loses the oldest', async () => {
    const sent: string[] = [];
    let begin = (): void => undefined;
    class Slow extends AlertChannel {
      async send({ runId }: Alert): Promise<void> {
        sent.push(runId!);
        if (sent.length === 1) await new Promise<void>((resolve) => (begin = resolve));
      }
    }
    const events = await boot({ rules: [{ on: 'failed', to: new Slow() }] });
    const emit = (nth: number): void =>
      events.emit('run.failed', { ...failed, runId: String(nth), fingerprint: String(nth) });
    emit(0);
    await settled(() => sent.length === 1);
    for (let nth = 1; nth < 150; nth++) emit(nth);
    await clock.advanceBy(1);
    begin();
    await settled(() => sent.includes('149'));
    expect(sent).toEqual(['0', ...Array.from({ length: 100 }, (_, nth) => String(50 + nth))]);
  });

  test('gets what is left when the process ends', async () => {
    const events = await boot(onFailure());
    events.emit('run.failed', failed);
    await apps.pop()!.close();
    expect(receiver.received).toHaveLength(1);
  });
});

/** Resolves when promises that need no time have made it so. */
async function settled(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe('options that are refused', () => {
  const to = webhook({ url: 'http://127.0.0.1:1' });
  test.each<[string, unknown, string]>([
    [
      'an unknown event',
      { rules: [{ on: 'run.faild', to }] },
      'rules[0].on: there is no event "run.faild". Did you mean "run.failed"? There are: ',
    ],
    ['a rule without events', { rules: [{ on: [], to }] }, 'rules[0].on: must name at least one event'],
    [
      'a condition that no event meets',
      { rules: [{ on: 'storage.failing', where: { handler: 'a' }, to }] },
      'handler: the event "storage.failing" has none',
    ],
    [
      'an unknown condition',
      { rules: [{ on: 'failed', where: { job: 'a' }, to }] },
      'job: rules[0].where has no such option.',
    ],
    ['a channel that is none', { rules: [{ on: 'failed', to: 'x' }] }, 'rules[0].to: must be a channel'],
    [
      'a window that is too short',
      { rules: [{ on: 'failed', to, every: 10 }] },
      'rules[0].every: must be 1 s to 7 days.',
    ],
    [
      'two rules of one name',
      {
        rules: [
          { on: 'failed', to, name: 'a' },
          { on: 'lost', to, name: 'a' },
        ],
      },
      'rules: has two with the name "a"',
    ],
    [
      'an unknown option',
      { rule: [] },
      'rule: ChronisAlertsModule.forRoot() has no such option. Did you mean "rules"?',
    ],
    [
      'a ping that is no address',
      { pings: { daily: 'x' } },
      'pings.daily: must be an address that begins with http:// or https://.',
    ],
  ])('%s', (_, options, message) => {
    expect(() => ChronisAlertsModule.forRoot(options as ChronisAlertsOptions)).toThrow(message);
  });

  test('an address of a channel is not told', () => {
    expect(() => slack({ url: 'ftp://hooks/secret' })).toThrow(/^(?!.*secret)/);
    expect(() => webhook({ url: 'https://a:secret@x' })).toThrow(/^(?!.*secret).*login/);
    expect(() => webhook({ url: 'https://x', headers: { a: 'se\ncret' } })).toThrow(/^(?!.*cret).*headers/s);
  });
});
