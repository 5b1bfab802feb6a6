import { describe, expect, test } from 'vitest';
import { ChronisEvents } from '../../lib/events/chronis.events.js';

const failing = { operation: 'claim', error: null, retryInMs: 0 };

describe('an emitter', () => {
  test('knows whether anybody hears an event', () => {
    const events = new ChronisEvents();
    expect(events.hears('storage.failing')).toBe(false);
    const stop = events.on('storage.failing', () => undefined);
    expect(events.hears('storage.failing')).toBe(true);
    expect(events.hears('storage.recovered')).toBe(false);
    stop();
    expect(events.hears('storage.failing')).toBe(false);
    events.onAny(() => undefined);
    expect(events.hears('storage.failing')).toBe(true);
  });

  test('tells nobody what he does not want', () => {
    const events = new ChronisEvents();
    const told: string[] = [];
    let wanted = false;
    events.onAny((name) => told.push(name), { wants: (name) => wanted && name === 'storage.failing' });
    events.emit('storage.failing', failing);
    wanted = true;
    expect(events.hears('storage.failing')).toBe(true);
    expect(events.hears('storage.recovered')).toBe(false);
    events.emit('storage.failing', failing);
    events.emit('storage.recovered', { operation: 'claim', failures: 1 });
    expect(told).toEqual(['storage.failing']);
  });
});

test.each<[string, (events: any) => unknown]>([
  [
    'on(): there is no event "run.succeded". Did you mean "run.succeeded"?',
    (e) => e.on('run.succeded', () => 1),
  ],
  ['on(): there is no event "rum.*". Did you mean "run.*"?', (e) => e.on('rum.*', () => 1)],
  [
    'on(): takes one event by its name, and "failed" stands for run.failed. stream() and @OnJobEvent take several.',
    (e) => e.on('failed', () => 1),
  ],
  ['on(): takes a function, but was given string.', (e) => e.on('run.failed', 'no function')],
  [
    'remoet: on() has no such option. Did you mean "remote"?',
    (e) => e.on('run.failed', () => 1, { remoet: true }),
  ],
  ['remote: must be true or false, but is a string.', (e) => e.on('run.failed', () => 1, { remote: 'yes' })],
  ['on(): takes options as an object, but was given null.', (e) => e.on('run.failed', () => 1, null)],
  ['onAny(): takes a function, but was given null.', (e) => e.onAny(null)],
  ['bufferSize: onAny() has no such option. There are: remote', (e) => e.onAny(() => 1, { bufferSize: 1 })],
  ['once(): there is no event "failde". Did you mean "failed"?', (e) => e.once('failde')],
  ['once(): takes a function, but was given object.', (e) => e.once('run.failed', { timeout: 1 })],
  ['events: there is no event "rnu.*". Did you mean "run.*"?', (e) => e.stream('rnu.*')],
  [
    'buffersize: stream() has no such option. Did you mean "bufferSize"?',
    (e) => e.stream('run.*', { buffersize: 1 }),
  ],
])('refuses what nobody would be told by: %s', (message, call) => {
  expect(() => call(new ChronisEvents())).toThrow(message);
});
