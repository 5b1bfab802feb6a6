import { describe, expect, test } from 'vitest';
import { Redactor, type RedactOption } from '../../lib/events/redactor.js';

const shown = (value: unknown, option?: RedactOption): unknown =>
  new Redactor(option).value(value, 'http', 'payload');

describe('what is shown', () => {
  test('has no values of keys that are secrets by their names, however these are written', () => {
    const secrets = [
      'password',
      'dbPassword',
      'client_secret',
      'TOKEN',
      'Authorization',
      'api-key',
      'apiKey',
    ];
    const more = ['set-cookie', 'privateKey', 'passphrase', 'pass', 'credentials', 'access_key'];
    for (const key of [...secrets, ...more]) {
      expect(shown({ deep: [{ [key]: 'hunter2' }] }), key).toEqual({ deep: [{ [key]: '***' }] });
      expect(shown({ [key]: { any: ['hunter2'] } }), key).toEqual({ [key]: '***' });
    }
  });

  test('has everything else as it is', () => {
    const at = new Date(0);
    const plain = {
      passenger: 'A',
      key: 'k',
      at,
      tokens: 512,
      hasPassword: true,
      secret: null,
      list: [1, 'b'],
    };
    expect(shown(plain)).toEqual(plain);
    expect(JSON.stringify(shown(JSON.parse('{"__proto__":{"a":1}}')))).toBe('{"__proto__":{"a":1}}');
  });

  test('has no passwords within texts', () => {
    expect(shown({ url: 'postgres://a:hunter2@db/x' })).toEqual({ url: 'postgres://a:***@db/x' });
    expect(new Redactor().text('failed with password=hunter2', 'alert')).toBe('failed with password=***');
  });

  test('hides what the option names, by a key or by the end of a path', () => {
    const value = { IBAN: 1, customer: { taxId: 2, name: 'x' }, taxId: 3, cards: [{ visa: { number: 4 } }] };
    expect(shown(value, ['iban', 'customer.tax_id', 'cards.*.number'])).toEqual({
      ...{ IBAN: '***', customer: { taxId: '***', name: 'x' }, taxId: 3 },
      cards: [{ visa: { number: '***' } }],
    });
    expect(shown({ iban: 1 }, ['payload.iban'])).toEqual({ iban: '***' });
    expect(new Redactor(['payload']).value({ a: 1 }, 'http', 'items[0].payload')).toBe('***');
  });

  test('is what the function gives, which gets what is left and where it is', () => {
    const seen: unknown[] = [];
    const by = (value: unknown, at: object): unknown => {
      seen.push(value, at);
      return 'shown';
    };
    expect(shown({ password: 'hunter2', a: 1 }, { keys: ['a'], by })).toBe('shown');
    expect(seen).toEqual([
      { password: '***', a: '***' },
      { kind: 'http', path: 'payload' },
    ]);
  });

  test('is hidden where the function throws, or makes no text of a text', () => {
    const broken = new Redactor(() => {
      throw new Error('broken');
    });
    expect([broken.value({ a: 1 }, 'log'), broken.text('a', 'log')]).toEqual(['***', '***']);
    expect(new Redactor(() => ({ a: 1 })).text('a', 'log')).toBe('***');
  });

  test('is hidden as a whole where it would take long to find its passwords', () => {
    expect(shown({ text: 'http://a:'.repeat(100_000) })).toEqual({ text: '***' });
    const pages = 'https://example.com/a http://example.com:80/ '.repeat(100);
    expect(shown(pages)).toBe(pages);
  });

  test('is bounded in its depth', () => {
    let deep: unknown = 'hunter2';
    for (let level = 0; level < 50_000; level++) deep = [deep];
    expect(JSON.stringify(shown(deep))).not.toContain('hunter2');
  });
});

test('refuses what names no key', () => {
  const refused: [unknown, string][] = [
    [[''], 'redact: names keys, such as "iban" or "customer.taxId", but has "".'],
    [['a..b'], 'redact: names keys, such as "iban" or "customer.taxId", but has "a..b".'],
    [[7], 'redact: names keys, such as "iban" or "customer.taxId", but has 7.'],
    ['iban', 'redact: must be a list of names of keys, a function, or { keys, by }.'],
    [{ key: ['a'] }, 'key: redact has no such option. Did you mean "keys"?'],
    [{ by: 'a' }, 'redact.by: must be a function (value, { kind, path }) => value.'],
    [{ keys: 'a' }, 'redact.keys: must be a list of names of keys.'],
  ];
  for (const [given, message] of refused) expect(() => new Redactor(given as RedactOption)).toThrow(message);
});
