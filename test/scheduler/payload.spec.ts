import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidOptionError, InvalidPayloadError } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { work, wrong, type Refusal } from '../support/refusal.js';

const cycle: Record<string, unknown> = {};
cycle.inner = { again: cycle };
let deep: unknown = null;
for (let i = 0; i < 600; i++) deep = [deep];

class Visit {
  until = new Date(0);
}

const refusals: Refusal[] = [
  [
    'a payload of undefined',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ a: [1, undefined] }) }),
    InvalidPayloadError,
    'payload: at payload.a[1]: undefined is not JSON. Leave the key out, or use null.',
  ],
  [
    'a hole in a list',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ a: Array(2) }) }),
    InvalidPayloadError,
    'payload: at payload.a[0]: undefined is not JSON.',
  ],
  [
    'a payload with a function',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ run: () => 1 }) }),
    InvalidPayloadError,
    'payload: at payload.run: a function is not JSON.',
  ],
  [
    'a payload with a symbol',
    (s) => s.createIntervalJob({ ...work, payload: wrong(Symbol('x')) }),
    InvalidPayloadError,
    'payload: a symbol is not JSON.',
  ],
  [
    'a payload with a BigInt',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ 'user id': 5n }) }),
    InvalidPayloadError,
    'payload: at payload["user id"]: the BigInt 5 is not JSON.',
  ],
  [
    'a payload with NaN',
    (s) => s.createIntervalJob({ ...work, payload: { n: NaN } }),
    InvalidPayloadError,
    'payload: at payload.n: NaN is not JSON.',
  ],
  [
    'a payload with a Date',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ at: new Date(0) }) }),
    InvalidPayloadError,
    'payload: at payload.at: a Date is not JSON. Use toISOString(). A handler with a schema takes it as JSON does.',
  ],
  [
    'a payload with an invalid Date',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ at: new Date(NaN) }) }),
    InvalidPayloadError,
    'payload: at payload.at: an invalid Date is not JSON.',
  ],
  [
    'a payload with a key that is undefined',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ at: undefined }) }),
    InvalidPayloadError,
    'payload: at payload.at: undefined is not JSON. Leave the key out, or use null. A handler with a schema takes it as JSON does.',
  ],
  [
    'an instance of a class',
    (s) => s.createIntervalJob({ ...work, payload: wrong(new Visit()) }),
    InvalidPayloadError,
    'payload: an instance of Visit is not JSON. Give a plain object, such as { ...it }, or the class a toJSON(). A handler with a schema takes it as JSON does.',
  ],
  [
    'what toJSON() returns and is not JSON',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ a: { toJSON: () => NaN } }) }),
    InvalidPayloadError,
    'payload: at payload.a: NaN is not JSON.',
  ],
  [
    'metadata with a Date',
    (s) => s.createIntervalJob({ ...work, metadata: wrong({ at: new Date(0) }) }),
    InvalidPayloadError,
    'metadata: at metadata.at: a Date is not JSON. Use toISOString().',
  ],
  [
    'a path of the metadata with a NUL',
    (s) => s.queryJobs({ 'metadata.\0': 1 }),
    InvalidPayloadError,
    'metadata: the key "\\u0000" holds a NUL character, which PostgreSQL cannot store.',
  ],
  [
    'a payload with a Map',
    (s) => s.createIntervalJob({ ...work, payload: wrong({ m: new Map() }) }),
    InvalidPayloadError,
    'payload: at payload.m: an instance of Map is not JSON. Give a plain object.',
  ],
  [
    'a payload that contains itself',
    (s) => s.createIntervalJob({ ...work, payload: wrong(cycle) }),
    InvalidPayloadError,
    'payload: at payload.inner.again: refers back to something that contains it.',
  ],
  [
    'a payload with a NUL',
    (s) => s.createIntervalJob({ ...work, payload: { text: 'a\0b' } }),
    InvalidPayloadError,
    'payload: at payload.text: holds a NUL character, which PostgreSQL cannot store.',
  ],
  [
    'a key with a NUL',
    (s) => s.createIntervalJob({ ...work, payload: { 'a\0b': 1 } }),
    InvalidPayloadError,
    'payload: the key "a\\u0000b" holds a NUL character',
  ],
  [
    'half a surrogate pair',
    (s) => s.createIntervalJob({ ...work, payload: 'x\ud800' }),
    InvalidPayloadError,
    'payload: holds half of a surrogate pair, which is not valid Unicode.',
  ],
  [
    'a payload with a getter that throws',
    (s) =>
      s.createIntervalJob({
        ...work,
        payload: wrong(
          Object.defineProperty({}, 'a', {
            enumerable: true,
            get: () => {
              throw new Error('not yet');
            },
          }),
        ),
      }),
    InvalidPayloadError,
    'payload: cannot be read: not yet',
  ],
  [
    'a payload that is nested too deep',
    (s) => s.createIntervalJob({ ...work, payload: wrong(deep) }),
    InvalidPayloadError,
    'is nested more than 500 levels deep.',
  ],
  [
    'a payload over the limit',
    (s) => s.createIntervalJob({ ...work, payload: 'é'.repeat(600_000) }),
    InvalidPayloadError,
    'payload: is 1200002 bytes as JSON, more than the limit of 1048576. Store large things elsewhere and pass a reference, or raise the module option payloadLimit.',
  ],
  [
    'metadata that is a list',
    (s) => s.createIntervalJob({ ...work, metadata: wrong(['a']) }),
    InvalidOptionError,
    'metadata: must be an object, but is ["a"].',
  ],
  [
    'metadata that is not JSON',
    (s) => s.createIntervalJob({ ...work, metadata: { a: Infinity } }),
    InvalidPayloadError,
    'metadata: at metadata.a: Infinity is not JSON.',
  ],
];

describe('payloads and metadata', () => {
  let app: NestApp;
  beforeAll(async () => {
    app = await NestApp.boot();
    app.scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());

  test.each(refusals)('are refused before anything is stored: %s', async (_, call, type, message) => {
    const refused = call(app.scheduler);
    await expect(refused).rejects.toThrow(type);
    await expect(refused).rejects.toThrow(message);
    expect(await app.scheduler.countJobs()).toBe(0);
  });

  test('come back as they were given, whatever is JSON', async () => {
    const payload = {
      text: '„Ünï©ødé“ 🎉 \u0001 \\u0000',
      numbers: [0, -1.5, 1e300, Number.MAX_SAFE_INTEGER],
      'a key with "quotes" and . dots': [true, false, null, {}, []],
      ['__proto__']: { polluted: true },
      toJSON: 'a value',
    };
    const job = await app.scheduler.createIntervalJob({ ...work, payload, metadata: { a: { b: ['c'] } } });
    const read = await app.scheduler.getJob(job.id);
    expect(JSON.stringify(read!.payload)).toBe(JSON.stringify(payload));
    expect(read!.metadata).toEqual({ a: { b: ['c'] } });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await app.scheduler.deleteJob(job.id);
  });

  test('are what toJSON() says, where an object has one', async () => {
    class Money {
      constructor(
        private readonly cents: number,
        private readonly on = new Date(0),
        private readonly note?: string,
      ) {}
      toJSON(): object {
        const { cents, on, note } = this;
        return { cents, on, note, shown: `${cents / 100} €` };
      }
    }
    const payload = {
      total: new Money(250),
      parts: [new Money(100), { shown: 1 }],
      at: { toJSON: () => 'noon' },
    };
    const job = await app.scheduler.schedule('work', { in: '1h', payload });
    const on = '1970-01-01T00:00:00.000Z';
    expect(job.payload).toEqual({
      total: { cents: 250, on, shown: '2.5 €' },
      parts: [{ cents: 100, on, shown: '1 €' }, { shown: 1 }],
      at: 'noon',
    });
    const changed = await app.scheduler.updateJob(job.id, { payload: { total: new Money(5) } });
    expect(changed.payload).toEqual({ total: { cents: 5, on, shown: '0.05 €' } });
    await app.scheduler.deleteJob(job.id);
  });

  test('may be as large as the module allows', async () => {
    const small = await NestApp.boot({ chronis: { payloadLimit: 10 } });
    small.scheduler.registerHandler('work', () => undefined);
    await small.scheduler.createIntervalJob({ ...work, payload: '12345678' });
    await expect(small.scheduler.createIntervalJob({ ...work, payload: '123456789' })).rejects.toThrow(
      'payload: is 11 bytes as JSON, more than the limit of 10.',
    );
    await small.close();
  });
});
