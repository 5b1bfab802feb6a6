import { ConsoleLogger, Logger, type LogLevel } from '@nestjs/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { logEvents, type LogSettings } from '../../lib/events/event.logger.js';
import { Redactor } from '../../lib/events/redactor.js';
import { run } from '../support/run.event.js';

const json: LogSettings = { format: 'json', silent: new Set(), everyRun: true };
const levels: LogLevel[] = ['log', 'warn', 'error', 'debug'];
let written: string[];

beforeEach(() => {
  written = [];
  const keep = (text: string | Uint8Array) => {
    written.push(String(text));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  Logger.overrideLogger(levels);
});
afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(false);
});

/** What a logger of Nest writes while `emit` runs. */
function output(logger: ConsoleLogger, settings: LogSettings, emit: (events: ChronisEvents) => void): string {
  Logger.overrideLogger(logger);
  const events = new ChronisEvents();
  const stop = logEvents(events, settings);
  emit(events);
  stop();
  return written.join('');
}

test('as JSON, an event is one line with its name, its sentence, its fields and its error', () => {
  const error = new TypeError('no\npaper');
  const text = output(new ConsoleLogger({ colors: false }), json, (events) =>
    events.emit('run.failed', { ...run, error }),
  );
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(text).toMatch(/^\[Nest\] .* ERROR \[Chronis\] \{"event":"run.failed",/);
  expect(JSON.parse(text.slice(text.indexOf('{')))).toEqual({
    event: 'run.failed',
    message: 'Run 42 of "daily" (Reports.daily) failed after 1234 ms: no\npaper',
    ...run,
    nominalAt: '2026-01-01T09:00:00.000Z',
    error: { name: 'TypeError', message: 'no\npaper', stack: error.stack },
  });
});

test('a logger that writes JSON keeps the fields apart', () => {
  const text = output(new ConsoleLogger({ json: true }), json, (events) =>
    events.emit('run.retrying', { ...run, error: 'just text', retryAt: new Date('2026-01-01T09:00:10Z') }),
  );
  expect(JSON.parse(text)).toMatchObject({
    level: 'warn',
    context: 'Chronis',
    message: {
      event: 'run.retrying',
      jobId: 'daily',
      retryAt: '2026-01-01T09:00:10.000Z',
      error: { message: 'just text' },
    },
  });
});

test('a logger that knows nothing but text, as that of Nest 10, gets the line of JSON', () => {
  const lines: string[] = [];
  const log = (message: unknown): void => void lines.push(`[Nest] ${message as string}`);
  Logger.overrideLogger({ log, warn: log, error: log });
  const events = new ChronisEvents();
  const stop = logEvents(events, json);
  events.emit('job.orphaned', { namespace: 'default', id: 'daily' });
  stop();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!.slice('[Nest] '.length))).toMatchObject({ event: 'job.orphaned', id: 'daily' });
});

test('what a handler threw is shown whatever it is, and long lists are cut', () => {
  const odd = {
    toString(): string {
      throw new Error('no');
    },
  };
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const jobs = Array.from({ length: 1_000 }, (_, i) => ({ namespace: 'default', id: `job-${i}` }));
  output(new ConsoleLogger({ json: true }), json, (events) => {
    for (const error of [odd, circular, 10n, undefined]) events.emit('wake.unavailable', { error });
    events.emit('schedules.recomputed', { from: '2026a', to: '2026b', moved: jobs });
  });
  const messages = written.map((line) => (JSON.parse(line) as { message: Record<string, unknown> }).message);
  expect(messages.slice(0, 4).map(({ error }) => error)).toEqual([
    { message: '{ toString: [Function: toString] }' },
    { message: '<ref *1> { self: [Circular *1] }' },
    { message: '10' },
    { message: 'undefined' },
  ]);
  expect(messages[4]!.moved).toHaveLength(50);
});

test('events that shall be silent are not written, and are heard all the same', () => {
  const heard: string[] = [];
  const settings: LogSettings = { format: 'text', silent: new Set(['run.failed']), everyRun: true };
  const text = output(new ConsoleLogger({ colors: false }), settings, (events) => {
    events.onAny((name) => heard.push(name));
    events.emit('run.failed', { ...run, error: new Error('no paper') });
    events.emit('job.orphaned', { namespace: 'default', id: 'daily' });
  });
  expect(text).not.toContain('no paper');
  expect(text).toContain('No live process declares the job "daily" any more');
  expect(heard).toEqual(['run.failed', 'job.orphaned']);
});

test('neither the sentence nor the fields have what the redactor hides', () => {
  Logger.overrideLogger(new ConsoleLogger({ json: true }));
  const events = new ChronisEvents();
  const redactor = new Redactor({
    keys: ['jobId'],
    by: (value, { kind, path }) =>
      kind === 'log' && typeof value === 'string' && path !== 'event' ? value.replaceAll('4711', '#') : value,
  });
  const stop = logEvents(events, json, 'Chronis', redactor);
  events.emit('run.failed', { ...run, handler: 'of-4711', error: new Error('card 4711') });
  stop();
  const { message } = JSON.parse(written.join('')) as { message: { message: string } };
  expect(message).toMatchObject({ jobId: '***', handler: 'of-#' });
  expect(message.message).toMatch(/\(of-#\) failed after 1234 ms: card #$/);
});
