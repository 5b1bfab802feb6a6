import { afterEach, describe, expect, test } from 'vitest';
import { platforms } from '../support/http.app.js';
import { hostileTexts } from '../support/hostile.texts.js';
import { HttpChronis } from './http.chronis.js';

/** A terminal obeys it, so names may not have it. */
const control = /\p{Cc}/u;

describe.each(platforms)('texts of others on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(async () => {
    await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
  });

  const boot = async () => {
    const user = ({ headers }: any) => ({ id: decodeURIComponent(headers['x-user'] as string) });
    chronis = await HttpChronis.boot(platform, { user });
  };
  const as = (text: string) => ({ 'x-user': encodeURIComponent(text) });
  const named = hostileTexts.filter((text) => !control.test(text));
  const isData = async (path: string) => {
    const { headers } = await chronis.get(path, as('amy'));
    expect(headers.get('content-type')).toMatch(/^application\/(problem\+)?json; charset=utf-8$/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  };

  test.each(named)(
    '%j is a name as any other: of a job, a handler, a queue, a user, a reason, a tag',
    async (text) => {
      await boot();
      const body = { id: text, handler: text, queue: text, every: '1h', metadata: { tag: text }, note: text };
      expect((await chronis.post('jobs', body, as(text))).status).toBe(201);
      const path = `jobs/${encodeURIComponent(text)}`;
      const paused = await chronis.post(`${path}/pause`, { reason: text }, as(text));
      expect(paused.json.paused).toMatchObject({ reason: text, by: text });
      const { json } = await chronis.get(path, as('amy'));
      expect(json).toMatchObject({ id: text, handler: text, queue: text });
      expect(json.metadata).toEqual({ tag: text });
      const query = `q=${encodeURIComponent(text)}&handler=${encodeURIComponent(text)}&metadata.tag=${encodeURIComponent(text)}`;
      expect((await chronis.get(`jobs?${query}`, as('amy'))).json.items).toMatchObject([{ id: text }]);
      const audit = await chronis.get(
        `audit?jobId=${encodeURIComponent(text)}&actor=${encodeURIComponent(text)}`,
        as('amy'),
      );
      expect(audit.json.items).toMatchObject([
        { action: 'pause', jobId: text, actor: text },
        { action: 'create', jobId: text, actor: text, note: text },
      ]);
      await isData(path);
      // What is refused is told as data too.
      await isData(`jobs/nothing${encodeURIComponent(text)}`);
      await isData(`jobs?state=${encodeURIComponent(text)}`);
    },
  );

  test.each(hostileTexts.filter((text) => control.test(text)))('%j is no name', async (text) => {
    await boot();
    for (const key of ['id', 'queue', 'note']) {
      const body = { id: 'a', handler: 'a', every: '1h', [key]: text };
      const { status, json } = await chronis.post('jobs', body, as('amy'));
      expect([key, status, json.issues?.[0]?.path]).toEqual([key, 400, key]);
    }
    expect(await chronis.scheduler.countJobs()).toBe(0);
  });

  test('of payloads, results, errors and logs are told as they were written', async () => {
    await boot();
    const { scheduler, clock } = chronis;
    scheduler.registerHandler('echo', ({ payload, logger }) => {
      for (const text of payload as string[]) logger.warn(text, { text });
      return payload;
    });
    scheduler.registerHandler('fail', ({ payload }) => {
      throw Object.assign(new Error(payload as string), { name: 'OddError' });
    });
    await scheduler.createJob({ id: 'echo', handler: 'echo', in: 0, payload: [...hostileTexts] });
    for (const [nth, text] of hostileTexts.entries())
      await scheduler.createJob({ id: `fail-${nth}`, handler: 'fail', in: 0, payload: text });
    await scheduler.start();
    for (let turn = 0; turn < 40; turn++) await clock.advanceBy(100);
    const { json: attempts } = await chronis.get('attempts?jobId=echo', as('amy'));
    expect(attempts.items[0].result).toEqual(hostileTexts);
    const { json: log } = await chronis.get(`runs/${attempts.items[0].runId}/logs`, as('amy'));
    expect(log.items.map(({ message, fields }: any) => [message, fields])).toEqual(
      hostileTexts.map((text) => [text, { text }]),
    );
    for (const [nth, text] of hostileTexts.entries()) {
      const { json } = await chronis.get(`attempts?jobId=fail-${nth}`, as('amy'));
      expect([text, json.items[0].error.split('\n    at ')[0]]).toEqual([text, `OddError: ${text}`]);
    }
    await isData(`runs/${attempts.items[0].runId}`);
    await isData('failures');
  });

  test('that are a megabyte long are told in short, and do not make a list long', async () => {
    await boot();
    chronis.scheduler.registerHandler('fail', () => {
      throw new Error('<b>'.repeat(350_000));
    });
    await chronis.scheduler.createJob({ id: 'long', handler: 'fail', in: 0 });
    await chronis.scheduler.start();
    for (let turn = 0; turn < 20; turn++) await chronis.clock.advanceBy(100);
    for (const path of ['attempts', 'runs', 'failures'])
      expect([path, JSON.stringify((await chronis.get(path, as('amy'))).json).length < 40_000]).toEqual([
        path,
        true,
      ]);
  });
});
