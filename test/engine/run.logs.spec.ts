import { describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { NewRunLogPart } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

/** A storage that notes what is written of logs. */
class Noting extends MemoryStorage {
  readonly calls: (readonly NewRunLogPart[])[] = [];
  fails = 0;

  constructor(clock: ManualClock) {
    super({ clock });
    const { runLogs } = this;
    const append = runLogs.append.bind(runLogs);
    this.runLogs.append = async (parts) => {
      this.calls.push(parts);
      if (this.fails-- > 0) throw new Error('The disk is full.');
      await append(parts);
    };
  }

  get written(): string[] {
    return this.calls.flat().flatMap(({ lines }) => lines.map(({ message }) => message));
  }
}

async function rigWith(
  handler: (context: RunContext) => unknown,
  jobs: object[] = [{ id: 'a' }],
  options: object = {},
): Promise<{ rig: EngineRig; storage: Noting; told: string[] }> {
  const clock = new ManualClock();
  const storage = new Noting(clock);
  const told: string[] = [];
  const tell = (message: unknown): void => void told.push(String(message));
  const logger = { log: tell, warn: tell, error: tell, debug: tell };
  const rig = new EngineRig({ clock, storage, logger: () => logger, options });
  rig.handle('work', handler as never);
  await rig.add(...jobs.map((job) => ({ handler: 'work', ...job })));
  await rig.engine.start();
  await rig.settle();
  return { rig, storage, told };
}

describe('the log of a run', () => {
  test('has what its handler tells, as the process has it', async () => {
    const { rig, storage, told } = await rigWith((context) => {
      context.logger.log('plain');
      context.logger.warn('with', { a: 1 }, 'Context');
      context.logger.error('bad', 'Error: bad\n at x');
      context.logger.verbose('small');
      context.logger.fatal(new Error('huge'));
      context.log('charged', { amount: 5 });
      const { log } = context;
      log('alone');
    });
    const lines = storage.calls.flat().flatMap((part) => part.lines);
    expect(lines.map(({ level, message }) => `${level} ${message.split('\n')[0]}`)).toEqual([
      ...[
        'log plain',
        'warn with',
        'error bad',
        'verbose small',
        'fatal Error: huge',
        'log charged',
        'log alone',
      ],
    ]);
    expect(lines[1]!.fields).toEqual({ a: 1, context: 'Context' });
    expect(lines[2]!.fields).toEqual({ stack: 'Error: bad\n at x' });
    expect(lines[5]!.fields).toEqual({ amount: 5 });
    expect(told).toContain('charged {"amount":5}');
    expect(told).toContain('small');
    await rig.engine.stop();
  });

  test('is written before anybody hears of the verdict, of all that end together in one call', async () => {
    const clock = new ManualClock();
    const storage = new Noting(clock);
    const rig = new EngineRig({ clock, storage });
    rig.handle('work', (({ runId, logger }: RunContext) => logger.log(runId)) as never);
    const heard: number[] = [];
    rig.events.on('run.succeeded', () => void heard.push(storage.written.length));
    await rig.add(...['a', 'b', 'c'].map((id) => ({ id, handler: 'work' })));
    await rig.engine.start();
    await rig.settle();
    expect(heard).toEqual([3, 3, 3]);
    expect(storage.calls).toHaveLength(1);
    await rig.engine.stop();
  });

  test('costs nothing where nothing is logged', async () => {
    const { rig, storage } = await rigWith(() => 'done');
    await rig.clock.advanceBy(60_000);
    expect(storage.calls).toEqual([]);
    await rig.engine.stop();
  });

  test('is written while the run goes on, after a second', async () => {
    let end!: () => void;
    let context!: RunContext;
    const { rig, storage } = await rigWith((given) => {
      context = given;
      return new Promise<void>((resolve) => (end = resolve));
    });
    context.logger.log('begun');
    context.logger.log('going on');
    await rig.clock.advanceBy(900);
    expect(storage.calls).toEqual([]);
    await rig.clock.advanceBy(100);
    await rig.settle();
    expect(storage.written).toEqual(['begun', 'going on']);
    context.logger.log('ending');
    end();
    await rig.settle();
    expect(storage.written).toEqual(['begun', 'going on', 'ending']);
    context.logger.log('too late');
    await rig.clock.advanceBy(5_000);
    expect(storage.written).toHaveLength(3);
    await rig.engine.stop();
  });

  test('keeps the first and the last of too many', async () => {
    const { rig, storage } = await rigWith(({ logger }) => {
      for (let nth = 0; nth < 5_000; nth++) logger.log(`line ${nth}`);
    });
    expect(storage.written).toHaveLength(1_000);
    expect(storage.written.slice(499, 501)).toEqual(['line 499', 'line 4500']);
    expect(storage.calls.flat().map(({ dropped }) => dropped)).toEqual([0, 0, 4_000, 0]);
    await rig.engine.stop();
  });

  test('keeps no more than 256 KiB', async () => {
    const { rig, storage } = await rigWith(({ logger }) => {
      for (let nth = 0; nth < 500; nth++) logger.log('x'.repeat(4_000));
    });
    const parts = storage.calls.flat();
    expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(262_144);
    const lines = parts.reduce((sum, part) => sum + part.lines.length, 0);
    const dropped = parts.reduce((sum, part) => sum + part.dropped, 0);
    expect(lines + dropped).toBe(500);
    await rig.engine.stop();
  });

  test('that the storage does not take is dropped after three tries, and the run ends as it would', async () => {
    const clock = new ManualClock();
    const storage = new Noting(clock);
    storage.fails = 3;
    const rig = new EngineRig({ clock, storage });
    const dropped: object[] = [];
    rig.events.on('run-log.dropped', (event) => void dropped.push(event));
    rig.handle('work', (({ logger }: RunContext) => logger.log('lost')) as never);
    await rig.add({ id: 'a', handler: 'work' });
    await rig.engine.start();
    for (let nth = 0; nth < 4; nth++) {
      await rig.settle();
      await clock.advanceBy(250);
    }
    expect(dropped).toMatchObject([{ lines: 1, error: new Error('The disk is full.') }]);
    expect(rig.told).toContain('run.succeeded');
    await rig.engine.stop();
  });

  test('is not kept of a one-off without a record', async () => {
    const { rig, storage } = await rigWith(
      ({ logger }) => logger.log('nothing'),
      [{ id: 'a', policies: { keepMs: 'none' } }],
    );
    expect(storage.calls).toEqual([]);
    await rig.engine.stop();
  });

  test('has what was left at a stop', async () => {
    const { rig, storage } = await rigWith(
      ({ logger, signal }) =>
        new Promise<void>((resolve) => {
          logger.log('begun');
          signal.addEventListener('abort', () => {
            logger.log('stopped');
            resolve();
          });
        }),
    );
    const stopped = rig.engine.stop();
    await rig.clock.advanceBy(60_000);
    await stopped;
    expect(storage.written).toEqual(['begun', 'stopped']);
  });
});
