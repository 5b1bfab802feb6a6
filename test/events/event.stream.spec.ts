import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import {
  ChronisEvents,
  InvalidOptionError,
  type ChronisEventMap,
  type StreamedEvent,
} from '../../lib/index.js';

const job = (id: string) => ({ namespace: 'default', id });

describe('a stream of events', () => {
  let events: ChronisEvents;

  beforeEach(() => {
    events = new ChronisEvents('one', () => 5);
  });

  const lift = (...counts: number[]) => {
    for (const runs of counts) events.emit('runs.lifted', { runs });
  };
  const collect = async (stream: AsyncIterable<StreamedEvent>) => {
    const found: unknown[] = [];
    for await (const { event } of stream) found.push(event);
    return found;
  };

  test('gives the events from its beginning on, with name, time and instance', async () => {
    lift(1);
    const stream = events.stream(['runs.lifted', 'job.*']);
    lift(2);
    events.emit('beat.unavailable', { error: null });
    events.emit('job.orphaned', job('a'));
    const about = { at: new Date(5), remote: false, instance: 'one' };
    await expect(stream.next()).resolves.toEqual({
      done: false,
      value: { name: 'runs.lifted', event: { runs: 2 }, ...about },
    });
    await expect(stream.next()).resolves.toEqual({
      done: false,
      value: { name: 'job.orphaned', event: job('a'), ...about },
    });
    expectTypeOf(stream).toExtend<
      AsyncIterable<
        StreamedEvent<
          'runs.lifted' | 'job.orphaned' | 'job.held-up' | 'job.paused' | 'job.overdue' | 'job.overdue.ended'
        >
      >
    >();
    for await (const item of events.stream('failed', { signal: AbortSignal.abort() })) {
      expectTypeOf(item.name).toEqualTypeOf<'run.failed'>();
      expectTypeOf(item.event).toEqualTypeOf<ChronisEventMap['run.failed']>();
    }
  });

  test('wakes those who wait, in order', async () => {
    const stream = events.stream('runs.*');
    const taken = Promise.all([stream.next(), stream.next()]);
    lift(1, 2);
    expect((await taken).map(({ value }) => value?.event)).toEqual([{ runs: 1 }, { runs: 2 }]);
  });

  test('drops and counts the oldest when its buffer is full', async () => {
    const stream = events.stream('runs.lifted', { bufferSize: 2 });
    lift(1, 2, 3, 4, 5);
    expect(stream.dropped).toBe(3);
    events.close();
    expect(await collect(stream)).toEqual([{ runs: 4 }, { runs: 5 }]);
  });

  test('ends with Chronis, after what is in the buffer, and also for those who wait', async () => {
    const [full, empty] = [events.stream('*'), events.stream('*')];
    const waiting = empty.next();
    lift(1);
    await waiting;
    const ended = empty.next();
    events.close();
    await expect(ended).resolves.toEqual({ value: undefined, done: true });
    lift(2);
    expect(await collect(full)).toEqual([{ runs: 1 }]);
    expect(await collect(events.stream('*'))).toEqual([]);
  });

  test('ends at once when its signal fires, and does not begin with one that has fired', async () => {
    const controller = new AbortController();
    const stream = events.stream('*', { signal: controller.signal });
    const waiting = stream.next();
    controller.abort();
    await expect(waiting).resolves.toEqual({ value: undefined, done: true });
    const late = events.stream('*', { signal: controller.signal });
    lift(1);
    expect(await collect(late)).toEqual([]);
  });

  test('leaves nothing behind when its consumer leaves the loop', async () => {
    const { signal } = new AbortController();
    const before = held(events);
    for (let i = 0; i < 3; i++) {
      const stream = events.stream('*', { signal });
      lift(1);
      for await (const { name } of stream) if (name === 'runs.lifted') break;
      lift(2);
      await expect(stream.next()).resolves.toEqual({ value: undefined, done: true });
    }
    expect(held(events)).toEqual(before);
  });

  test.each([
    [() => events.stream('run.exploded' as never), 'events: there is no event "run.exploded"'],
    [() => events.stream('nothing.*' as never), 'there is no event "nothing.*"'],
    [() => events.stream([7 as never]), 'there is no event "7"'],
    [() => events.stream('*', { bufferSize: 0 }), 'bufferSize: must be a whole number'],
    [() => events.stream('*', { bufferSize: 1.5 }), 'bufferSize: must be a whole number'],
  ])('refuses what it cannot do: %s', (make, message) => {
    const before = held(events);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
    expect(held(events)).toEqual(before);
  });
});

describe('listeners', () => {
  test('get the origin of an event, and those of other instances only when they ask', () => {
    const events = new ChronisEvents('one', () => 5);
    const heard: unknown[] = [];
    events.on('runs.lifted', ({ runs }, { remote, instance }) => heard.push(['own', runs, remote, instance]));
    events.on('runs.lifted', ({ runs }, { instance }) => heard.push(['all', runs, instance]), {
      remote: true,
    });
    events.onAny((name) => heard.push(name));
    events.onAny((name, _, { at }) => heard.push([name, at.getTime()]), { remote: true });
    events.emit('runs.lifted', { runs: 1 });
    events.receive({ runs: 2 }, { name: 'runs.lifted', at: new Date(7), instance: 'two' });
    expect(heard).toEqual([
      ['own', 1, false, 'one'],
      ['all', 1, 'one'],
      'runs.lifted',
      ['runs.lifted', 5],
      ['all', 2, 'two'],
      ['runs.lifted', 7],
    ]);
  });
});

/** How much an emitter holds. */
function held(events: ChronisEvents): unknown {
  const { listeners, streams } = events as unknown as {
    listeners: Map<string, Set<unknown>>;
    streams: Set<unknown>;
  };
  return [[...listeners.values()].reduce((sum, { size }) => sum + size, 0), streams.size];
}
