import { get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { LiveChanges, liveMs, mostStreams } from '../../lib/http/live.changes.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

/** A client that looks. */
class Viewer {
  private text = '';
  private heard: (() => void) | null = null;
  isOver = false;

  private constructor(
    readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    const wake = () => this.heard?.();
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
      wake();
    });
    response.on('close', () => {
      this.isOver = true;
      wake();
    });
    response.on('error', () => undefined);
  }

  static look(url: string, headers: Record<string, string> = {}): Promise<Viewer> {
    return new Promise((resolve, reject) => {
      const request = httpGet(`${url}/chronis/events`, { headers, agent: false }, (response) =>
        resolve(new Viewer(request, response)),
      );
      request.on('error', reject);
    });
  }

  /** Resolves once what it has heard, or its end, fits. */
  async until(fits: (text: string) => boolean): Promise<string> {
    while (!fits(this.text)) {
      if (this.isOver) throw new Error(`It is over, and has heard: ${this.text}`);
      await new Promise<void>((resolve) => (this.heard = resolve));
    }
    return this.text;
  }

  async end(): Promise<void> {
    while (!this.isOver) await new Promise<void>((resolve) => (this.heard = resolve));
  }
}

describe.each(platforms)('who looks on %s', (platform) => {
  let chronis: HttpChronis;
  let looks = 0;
  afterEach(() => chronis.close());

  const boot = async (options = {}) => {
    chronis = await HttpChronis.boot(platform, options, (nest) =>
      nest.enableCors({ origin: 'https://a.example.com' }),
    );
    looks = 0;
    const { storage } = chronis;
    const take = storage.takeStock.bind(storage);
    storage.takeStock = () => {
      looks++;
      return take();
    };
  };
  const look = (headers?: Record<string, string>) => Viewer.look(chronis.http.url, headers);
  const hasStock = (text: string) => text.includes('event: stock');

  test('is greeted, told of changes together, of what waits, and of life', async () => {
    await boot();
    const viewer = await look();
    expect(viewer.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': 'https://a.example.com',
    });
    await viewer.until((text) => text.includes('event: hello'));
    for (const id of ['a', 'b']) await chronis.post('jobs', { id, handler: 'work', in: 0 });
    await chronis.post('pauses', { scope: { queue: 'mails' } });
    await chronis.clock.advanceBy(liveMs.gather);
    const text = await viewer.until((heard) => heard.includes('event: change'));
    expect(text).toContain('data: {"topics":["jobs","pauses"]}\n\n');
    await chronis.clock.advanceBy(liveMs.poll);
    expect(await viewer.until(hasStock)).toContain('"queues":[{"queue":"default","due":2');
    await chronis.clock.advanceBy(liveMs.beat);
    await viewer.until((heard) => heard.includes(': beat'));
  });

  test('reads anew what has changed, although answers are shared', async () => {
    await boot({ shareAnswers: '1m' });
    const viewer = await look();
    await viewer.until((text) => text.includes('event: hello'));
    expect((await chronis.get('jobs')).json.items).toEqual([]);
    await chronis.scheduler.schedule('report', { id: 'a', every: '1h' });
    await chronis.scheduler.pause({ queue: 'reports' });
    await chronis.clock.advanceBy(liveMs.poll);
    await viewer.until(hasStock);
    expect((await chronis.get('jobs')).json.items).toMatchObject([{ id: 'a' }]);
  });

  test('costs as much as fifty who look, and nothing once the last has gone', async () => {
    await boot();
    await chronis.clock.advanceBy(60_000);
    expect(looks).toBe(0);
    const viewers = await Promise.all(Array.from({ length: 50 }, () => look()));
    for (const viewer of viewers) await viewer.until((text) => text.includes('hello'));
    expect(looks).toBe(1);
    for (let turn = 0; turn < 5; turn++) await chronis.clock.advanceBy(liveMs.poll);
    expect(looks).toBe(6);
    for (const { request } of viewers) request.destroy();
    await gone(chronis);
    await chronis.clock.advanceBy(60_000);
    expect(looks).toBe(6);
  });

  test('does not have the storage asked again while it has not answered', async () => {
    await boot();
    let answer: (() => void) | null = null;
    const { storage } = chronis;
    storage.takeStock = () => {
      looks++;
      return new Promise((resolve) => {
        answer = () =>
          resolve({ now: 0, queues: [], unclaimable: [], workers: { live: 0, lost: 0 }, pauses: [] });
      });
    };
    const viewer = await look();
    await viewer.until((text) => text.includes('hello'));
    await chronis.clock.advanceBy(10 * liveMs.poll);
    expect(looks).toBe(1);
    answer!();
    await chronis.clock.advanceBy(0);
    await chronis.clock.advanceBy(liveMs.poll);
    expect(looks).toBe(2);
  });

  test('is let go within a second when the application ends, and after ten minutes', async () => {
    await boot();
    const viewers = await Promise.all([look(), look()]);
    await chronis.clock.advanceBy(liveMs.longest);
    for (const viewer of viewers) await viewer.end();
    const last = await look();
    await last.until((text) => text.includes('hello'));
    const began = performance.now();
    await chronis.close();
    await last.end();
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('is refused where too many do, and says when to come back', async () => {
    await boot();
    const viewers = await Promise.all(Array.from({ length: mostStreams }, () => look()));
    const { status, headers, json } = await chronis.get('events');
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'http.no-stream', '15']);
    viewers[0]!.request.destroy();
    await gone(chronis, mostStreams - 1);
    expect((await look()).response.statusCode).toBe(200);
  });

  test('asks for no more than the head is not told anything, and takes no place', async () => {
    await boot();
    const answer = await fetch(`${chronis.http.url}/chronis/events`, {
      method: 'HEAD',
      signal: AbortSignal.timeout(2_000),
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect(chronis.http.app.get(LiveChanges, { strict: false }).viewers).toBe(0);
  });

  test('hears of its own tenant only', async () => {
    await boot({ tenant: ({ headers }: any) => headers['x-tenant'] as string });
    const [acme, globex] = await Promise.all([look({ 'x-tenant': 'acme' }), look({ 'x-tenant': 'globex' })]);
    for (const viewer of [acme, globex]) await viewer.until((text) => text.includes('hello'));
    await chronis.post('jobs', { handler: 'work', in: 0 }, { 'x-tenant': 'globex' });
    await chronis.clock.advanceBy(liveMs.poll + liveMs.gather);
    await globex.until((text) => text.includes('event: change'));
    await chronis.clock.advanceBy(liveMs.beat);
    expect(await acme.until((text) => text.includes(': beat'))).not.toMatch(/event: (change|stock)/);
    expect(await globex.until((text) => text.includes(': beat'))).not.toContain('event: stock');
  });
});

/** Resolves once so many are left on the server's side. */
async function gone({ http }: HttpChronis, left = 0): Promise<void> {
  const live = http.app.get(LiveChanges, { strict: false });
  while (live.viewers > left) await new Promise((resolve) => setImmediate(resolve));
}
