import { describe, expect, test } from 'vitest';
import { logLine } from '../../lib/engine/log.line.js';
import { Redactor } from '../../lib/events/redactor.js';

const lineOf = (message: unknown, fields: object | null = null) => logLine(0, 'log', message, fields).line;

describe('a line of the log of a run', () => {
  test('has its fields as JSON has them', () => {
    const fields = { amount: 10n, at: new Date(0), list: [1, undefined], none: undefined, f: () => 1 };
    expect(lineOf('charged', fields)).toEqual({
      ...{ at: 0, level: 'log', message: 'charged' },
      fields: { amount: '10', at: '1970-01-01T00:00:00.000Z', list: [1, null] },
    });
  });

  test('has no passwords and secrets in it', () => {
    const { message, fields } = lineOf('from postgres://a:hunter2@db/x?password=hunter2', {
      url: 'amqp://a:hunter2@mq',
      password: 'hunter2',
      deep: [{ apiToken: 'hunter2', passphrase: 'hunter2', client_secret: 'hunter2' }],
      error: new Error('postgres://a:hunter2@db'),
    });
    expect(message + JSON.stringify(fields)).not.toContain('hunter2');
    expect(fields).toMatchObject({ password: '***', deep: [{ apiToken: '***' }] });
  });

  test('has nothing in it that the redactor hides: by keys, by paths, or by its function', () => {
    const fields = { iban: 1, customer: { id: 2 }, headers: { Authorization: { raw: 'hunter2' } } };
    const line = (redactor: Redactor) => logLine(0, 'log', 'of 4711', fields, redactor).line;
    expect(line(new Redactor(['iban', 'customer.id'])).fields).toEqual({
      ...{ iban: '***', customer: { id: '***' }, headers: { Authorization: '***' } },
    });
    const by = (value: unknown) => (typeof value === 'string' ? value.replace(/\d+/g, '#') : null);
    expect(line(new Redactor(by))).toMatchObject({ message: 'of #', fields: { value: null } });
  });

  test('is no longer than 4 KiB, and says that it was cut', () => {
    for (const letter of ['x', '한', '👍']) {
      const { line, bytes } = logLine(0, 'log', letter.repeat(100_000), null);
      expect(line.cut).toBe(true);
      expect(Buffer.byteLength(line.message)).toBeLessThanOrEqual(4_096);
      expect(line.message).not.toContain('\u{FFFD}');
      expect(bytes).toBeLessThanOrEqual(4_096);
    }
    const long = lineOf('m', { text: 'y'.repeat(5_000) });
    expect(long).toMatchObject({ cut: true, message: expect.stringMatching(/^m \{"text":"yyy/) as string });
    expect(long).not.toHaveProperty('fields');
    expect(lineOf('m', { text: 'y'.repeat(4_000) })).not.toHaveProperty('cut');
  });

  test('is of an error with its causes', () => {
    const { message } = lineOf(new Error('outer', { cause: new TypeError('inner') }));
    expect(message).toContain('Error: outer\n  cause: TypeError: inner');
  });

  test('can be stored whatever it is, and nothing throws', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('trapped');
        },
        ownKeys: () => {
          throw new Error('trapped');
        },
      },
    );
    const toJson = {
      toJSON: () => {
        throw new Error('no');
      },
    };
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, nth) => [`k${nth}`, nth]));
    const fields = [cycle, trap, toJson, wide, [1, 2], new Map([[1, 2]]), Object.create(null) as object];
    for (const each of [...fields, { nul: '\0', half: '\ud800', 'key\0\ud800': 1 }]) {
      const { line } = logLine(0, 'log', each, each);
      const texts = line.message + JSON.stringify(line.fields ?? {});
      expect(texts).not.toMatch(/\p{Surrogate}/u);
      expect(JSON.stringify(line.fields ?? {})).not.toMatch(/\\u0000|\\ud8/);
      expect(line.message).not.toContain('\0');
      expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThan(20_000);
    }
    for (const message of [undefined, null, 7, Symbol('x'), '\0\ud800', () => 1])
      expect(lineOf(message).message).toEqual(expect.any(String));
  });
});
