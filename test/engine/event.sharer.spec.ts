import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  EventChannel,
  MemoryStorage,
  type ChronisEventName,
  type EventOrigin,
  type StorageAdapter,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { EventSharer } from '../../lib/engine/event.sharer.js';
import { packEvents, unpackEvents, type SharedEvent } from '../../lib/events/event.wire.js';
import { NestApp } from '../support/nest.app.js';

const turns = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

/** Takes what is published, as slowly or as badly as a test wants. */
class StubChannel extends EventChannel {
  readonly maxBytes: number = 7_999;
  readonly published: string[][] = [];
  answer: () => Promise<void> = async () => undefined;

  async publish(messages: readonly string[]): Promise<void> {
    this.published.push([...messages]);
    await this.answer();
  }

  async subscribe(): Promise<() => Promise<void>> {
    return async () => undefined;
  }
}

describe('events that instances share', () => {
  const sharers: EventSharer[] = [];
  const clock = new ManualClock();

  afterEach(async () => {
    for (const sharer of sharers.splice(0)) await sharer.close();
  });

  async function share(
    storage: StorageAdapter,
    instance: string,
    names: ChronisEventName[] = ['runs.lifted', 'job.orphaned'],
  ) {
    const events = new ChronisEvents(instance, () => 5);
    const heard: [EventOrigin, unknown][] = [];
    events.onAny((_, event, origin) => heard.push([origin, event]), { remote: true });
    const sharer = new EventSharer(storage, events, instance, names, clock);
    sharers.push(sharer);
    await sharer.start();
    return { events, heard };
  }

  test('reach all others once, with the name of the instance, and are not told on', async () => {
    const storage = new MemoryStorage();
    const [one, two, three] = [
      await share(storage, 'one'),
      await share(storage.open(), 'two'),
      await share(storage, 'three', []),
    ];
    one.events.emit('runs.lifted', { runs: 1 });
    one.events.emit('beat.unavailable', { error: 'not shared' });
    await turns();
    const origin = { name: 'runs.lifted', at: new Date(5), instance: 'one' };
    expect(one.heard.map(([{ remote }]) => remote)).toEqual([false, false]);
    expect(two.heard).toEqual([[{ ...origin, remote: true }, { runs: 1 }]]);
    expect(three.heard).toEqual(two.heard);
  });

  function stubbed(): { channel: StubChannel; storage: StorageAdapter } {
    const channel = new StubChannel();
    return { channel, storage: Object.assign(new MemoryStorage(), { eventChannel: channel }) };
  }

  const told = (messages: readonly string[]) =>
    messages.flatMap((message) => unpackEvents(message)!.events.map(({ event }) => event));

  test('of one turn make one message; what happens while it is under way makes the next', async () => {
    const { channel, storage } = stubbed();
    const { events } = await share(storage, 'one');
    let arrive = (): void => undefined;
    channel.answer = () => new Promise((resolve) => (arrive = resolve));
    for (const runs of [1, 2, 3]) events.emit('runs.lifted', { runs });
    await turns();
    for (const runs of [4, 5]) events.emit('runs.lifted', { runs });
    await turns();
    expect(channel.published.map(told)).toEqual([[{ runs: 1 }, { runs: 2 }, { runs: 3 }]]);
    channel.answer = async () => undefined;
    arrive();
    await turns();
    expect(channel.published.map((messages) => [messages.length, told(messages)])).toEqual([
      [1, [{ runs: 1 }, { runs: 2 }, { runs: 3 }]],
      [1, [{ runs: 4 }, { runs: 5 }]],
    ]);
  });

  test('are lost when they cannot be told, which is told once until it works again', async () => {
    const { channel, storage } = stubbed();
    const { events, heard } = await share(storage, 'one');
    const emit = async (runs: number) => {
      events.emit('runs.lifted', { runs });
      await turns();
    };
    channel.answer = () => Promise.reject(new Error('away'));
    await emit(1);
    await emit(2);
    channel.answer = async () => undefined;
    await emit(3);
    channel.answer = () => Promise.reject(new Error('away again'));
    await emit(4);
    const failures = heard.filter(([{ name }]) => name === 'sharing.failing').map(([, event]) => event);
    expect(failures).toEqual([
      { events: 1, error: new Error('away') },
      { events: 1, error: new Error('away again') },
    ]);
  });

  test('of others are heard as soon as listening is possible, and that it was not is told once', async () => {
    const storage = new MemoryStorage();
    const channel = storage.eventChannel;
    const subscribe = channel.subscribe.bind(channel);
    let refusals = 3;
    channel.subscribe = async (listener) => {
      if (refusals-- > 0) throw new Error('too many clients');
      return subscribe(listener);
    };
    const here = await share(storage, 'here');
    const { events } = await share(storage.open(), 'there');
    const names = () => here.heard.map(([{ name }]) => name);
    events.emit('runs.lifted', { runs: 1 });
    await clock.advanceBy(1_000);
    expect(names()).toEqual(['sharing.failing']);
    await clock.advanceBy(10_000);
    events.emit('runs.lifted', { runs: 2 });
    await turns();
    expect(names()).toEqual(['sharing.failing', 'runs.lifted']);
    channel.publish = () => Promise.reject(new Error('away'));
    here.events.emit('job.orphaned', {} as never);
    await turns();
    expect(names()).toEqual(['sharing.failing', 'runs.lifted', 'job.orphaned', 'sharing.failing']);
  });

  test('are told before the end', async () => {
    const { channel, storage } = stubbed();
    const { events } = await share(storage, 'one');
    events.emit('runs.lifted', { runs: 1 });
    await sharers[0].close();
    events.emit('runs.lifted', { runs: 2 });
    await turns();
    expect(channel.published.map(told)).toEqual([[{ runs: 1 }]]);
  });

  test.each([
    ['run.exploded', 'there is no event "run.exploded"'],
    [['listener.failed'], 'the event "listener.failed" cannot be shared.'],
    ['sharing.failing', 'the event "sharing.failing" cannot be shared.'],
    [7, 'there is no event "7"'],
  ])('refuses shareEvents: %j', async (shareEvents, message) => {
    const booting = NestApp.boot({ chronis: { shareEvents: shareEvents as never } });
    await expect(booting).rejects.toThrow(message);
  });
});

describe('a message of events', () => {
  const sender = { from: 'id', instance: 'one', serial: 1 };
  const failed = (error: unknown, jobId = 'daily'): SharedEvent => ({
    name: 'run.failed',
    at: 7,
    event: {
      runId: '42',
      jobId,
      namespace: 'default',
      handler: 'work',
      queue: 'default',
      origin: 'schedule',
      nominalAt: new Date(5),
      attempt: 1,
      workerId: 'w',
      durationMs: 3,
      error,
    },
  });
  const roundTrip = (events: SharedEvent[], maxBytes = 7_999) => {
    const { messages, lost } = packEvents(sender, events, maxBytes);
    for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxBytes);
    return { messages, lost, events: messages.flatMap((message) => unpackEvents(message)!.events) };
  };

  test('keeps dates and errors', () => {
    const error = new TypeError('no');
    const [{ event, ...about }] = roundTrip([failed(error)]).events;
    expect(about).toEqual({ name: 'run.failed', at: 7 });
    expect(event).toEqual(failed(expect.any(Error)).event);
    expect((event as { error: Error }).error).toMatchObject({
      name: 'TypeError',
      message: 'no',
      stack: error.stack,
    });
  });

  test('is never longer than allowed: many events make several, long texts are cut', () => {
    const many = Array.from({ length: 100 }, (_, i) => failed(new Error(`no ${i}`)));
    const { messages, events, lost } = roundTrip(many);
    expect(messages.length).toBeGreaterThan(5);
    expect(events.map(({ event }) => (event as { error: Error }).error.message)).toEqual(
      many.map((_, i) => `no ${i}`),
    );
    expect(lost).toBe(0);
    const longId = '\u{1F916}'.repeat(127);
    const [{ event }] = roundTrip([failed(new Error('é'.repeat(100_000)), longId)]).events;
    const { jobId, error } = event as { jobId: string; error: Error };
    expect(jobId).toBe(longId);
    expect(error.message).toMatch(/^é{200,}…$/);
  });

  test('counts what does not fit, and what cannot be read', () => {
    const unreadable = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw new Error('private');
      },
    });
    expect(roundTrip([failed(null), failed(unreadable)], 200)).toMatchObject({ lost: 2, messages: [] });
  });

  test.each(['', 'null', '7', '{}', '{"from":1}', '{"from":"a","instance":"b","events":[["later",1,{}],7]}'])(
    'is not taken from %j',
    (message) => {
      expect(unpackEvents(message)?.events ?? []).toEqual([]);
    },
  );
});
