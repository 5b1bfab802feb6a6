import { addAbortListener } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { EngineRig } from '../support/engine.js';

let rig: EngineRig;
let failed: unknown[];
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  rig = new EngineRig();
  failed = [];
  rig.events.on('listener.failed', ({ eventName, error }) => failed.push([eventName, error]));
  process.on('uncaughtException', note);
});

afterEach(async () => {
  await rig.stop(60_000);
  process.off('uncaughtException', note);
  expect(uncaught).toEqual([]);
});

/** Executes a handler until its timeout. */
async function timedOut(run: (context: RunContext) => unknown): Promise<void> {
  rig.handle('work', run as never);
  await rig.engine.start();
  await rig.add({ policies: { timeoutMs: 1_000 } });
  await rig.clock.advanceBy(10_000);
  await new Promise((resolve) => setImmediate(resolve));
}

test('a listener of the signal that throws or rejects is told, and ends nothing', async () => {
  const heard: string[] = [];
  await timedOut(({ signal }) => {
    signal.addEventListener('abort', () => {
      throw new Error('listener');
    });
    const rejecting = async (): Promise<never> => {
      throw new Error('async');
    };
    signal.addEventListener('abort', rejecting as () => unknown as () => void);
    signal.addEventListener('abort', {
      handleEvent() {
        throw new Error('object');
      },
    });
    signal.onabort = () => {
      throw new Error('onabort');
    };
    signal.addEventListener('abort', () => void heard.push('after'));
    return new Promise(() => undefined);
  });
  expect(heard).toEqual(['after']);
  const messages = failed.map(([name, error]: any) => `${name}: ${error.message}`);
  expect(messages.toSorted()).toEqual(['abort: async', 'abort: listener', 'abort: object', 'abort: onabort']);
});

test('listeners of the signal are what they are elsewhere', async () => {
  const heard: string[] = [];
  await timedOut(async ({ signal }) => {
    const removed = (): void => void heard.push('removed');
    const twice = (): void => void heard.push('twice');
    signal.addEventListener('abort', removed);
    signal.removeEventListener('abort', removed);
    signal.addEventListener('abort', twice);
    signal.addEventListener('abort', twice, { once: true });
    signal.addEventListener('abort', function (this: AbortSignal, event) {
      heard.push(`as itself: ${this === signal && event.target === signal}`);
    });
    const handler = (): void => void heard.push('onabort');
    signal.onabort = () => void heard.push('replaced');
    signal.onabort = handler;
    expect(signal.onabort).toBe(handler);
    expect(signal).toBeInstanceOf(AbortSignal);
    signal.addEventListener('abort', null as never);
    addAbortListener(signal, () => void heard.push('node'));
    AbortSignal.any([signal]).addEventListener('abort', () => void heard.push('derived'));
    const ended = pause(60_000, undefined, { signal });
    await ended.catch((error: unknown) => heard.push((error as Error).name));
  });
  expect(heard.toSorted()).toEqual(['AbortError', 'as itself: true', 'derived', 'node', 'onabort', 'twice']);
  expect(failed).toEqual([]);
});
