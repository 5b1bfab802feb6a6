import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, StorageError, type RunContext } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('the log of a run', () => {
  let app: NestApp;
  let work: (context: RunContext) => unknown;

  beforeEach(async () => {
    app = await NestApp.boot();
    app.scheduler.registerHandler('work', (context) => work(context as RunContext));
  });
  afterEach(() => app.close());

  async function run(options: object = {}): Promise<string> {
    const at = { runAt: new Date(app.clock.now()) };
    await app.scheduler.createDateJob({ id: 'job', handler: 'work', ...at, ...options });
    await app.settle();
    return (await app.scheduler.getAttempts()).items[0]!.runId;
  }
  const read = (query: Parameters<typeof app.scheduler.getRunLog>[0]) => app.scheduler.getRunLog(query);

  test('is read page by page, and from its end on', async () => {
    work = ({ logger }) => {
      for (let nth = 0; nth < 7; nth++) logger.log(`line ${nth}`);
    };
    const runId = await run();
    const seen: string[] = [];
    let cursor: string | null = null;
    let tail: string | null;
    do {
      const page = await read({ runId, limit: 3, ...(cursor !== null && { cursor }) });
      seen.push(...page.items.map(({ message }) => message));
      ({ cursor, tail } = page);
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 7 }, (_, nth) => `line ${nth}`));
    expect(await read({ runId, cursor: tail! })).toEqual({ items: [], cursor: null, tail });
    expect(await read({ runId: '404' })).toEqual({ items: [], cursor: null, tail: null });
  });

  test('has what each attempt has written, by its level', async () => {
    work = ({ logger, attempt, log }) => {
      logger.debug('small');
      log('charged', { attempt });
      logger.error(new Error('no'));
      if (attempt === 1) throw new Error('again');
    };
    const runId = await run({ maxRetries: 1, backoff: { type: 'fixed', delay: 0 } });
    await app.settle();
    const all = (await read({ runId })).items;
    expect(all.map(({ attempt, level }) => `${attempt} ${level}`)).toEqual([
      ...['1 debug', '1 log', '1 error', '2 debug', '2 log', '2 error'],
    ]);
    expect(all[4]).toEqual({
      ...{ at: expect.any(Date) as Date, attempt: 2, level: 'log', message: 'charged' },
      ...{ fields: { attempt: 2 }, cut: false, dropped: 0 },
    });
    expect((await read({ runId, attempt: 2 })).items).toHaveLength(3);
    expect((await read({ runId, level: 'log' })).items).toHaveLength(4);
    expect((await read({ runId, level: 'warn', attempt: 1, limit: 1 })).items).toHaveLength(1);
  });

  test('says how many lines are missing, and where', async () => {
    work = ({ logger }) => {
      for (let nth = 0; nth < 1_500; nth++) logger[nth === 1_200 ? 'warn' : 'log'](`${nth}`);
    };
    const runId = await run();
    const { items } = await read({ runId, limit: 1_000 });
    expect(items.filter(({ dropped }) => dropped > 0)).toMatchObject([{ message: '1000', dropped: 500 }]);
    // What a filter leaves out is not missing.
    expect((await read({ runId, level: 'warn' })).items).toMatchObject([{ message: '1200', dropped: 500 }]);
  });

  test.each([
    [{ runId: '' }, 'runId'],
    [{ runId: 7 as never }, 'runId'],
    [{ runId: '1', attempt: 1.5 }, 'attempt: must be the number of an attempt'],
    [{ runId: '1', level: 'info' as never }, 'level: must be'],
    [{ runId: '1', cursor: 'x' }, 'cursor: must be the cursor'],
    [{ runId: '1', limit: 0 }, 'limit'],
  ])('is refused for what is wrong: %o', async (query, message) => {
    await expect(read(query)).rejects.toThrow(InvalidOptionError);
    await expect(read(query)).rejects.toThrow(message);
  });

  test('is refused by a storage that keeps none', async () => {
    const { storage } = app as unknown as { storage: { runLogs?: unknown } };
    const { runLogs } = storage;
    Object.defineProperty(storage, 'runLogs', { value: undefined, configurable: true });
    await expect(read({ runId: '1' })).rejects.toThrow(StorageError);
    Object.defineProperty(storage, 'runLogs', { value: runLogs, configurable: true });
  });
});
