import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { errorFields, errorText, messageOf, stackOf } from '../../lib/events/shown.error.js';
import { errorParts, InvalidOptionError, UnrecoverableError } from '../../lib/index.js';
import { LogRecord } from '../../lib/events/log.record.js';
import { packEvents, unpackEvents } from '../../lib/events/event.wire.js';
import { EngineRig } from '../support/engine.js';

/** As it would be thrown at these places. */
function at(error: Error, ...frames: string[]): Error {
  const { name, message } = error;
  error.stack = [
    message === '' ? name : `${name}: ${message}`,
    ...frames.map((frame) => `    at ${frame}`),
  ].join('\n');
  return error;
}

const refused = at(new Error('connect ECONNREFUSED 127.0.0.1:3999'), 'TCP.afterConnect (node:net:1611:16)');
const lib = new URL('../../lib', import.meta.url).pathname;

describe('an error as text', () => {
  test('has the messages of all its causes first, then where they come from', () => {
    const error = at(new TypeError('fetch failed', { cause: refused }), 'Feeds.poll (/app/feeds.js:12:11)');
    expect(errorText(error)).toBe(
      [
        'TypeError: fetch failed',
        '  cause: Error: connect ECONNREFUSED 127.0.0.1:3999',
        '    at Feeds.poll (/app/feeds.js:12:11)',
        '  cause:',
        '    at TCP.afterConnect (node:net:1611:16)',
      ].join('\n'),
    );
    expect(messageOf(error)).toBe('fetch failed (cause: connect ECONNREFUSED 127.0.0.1:3999)');
  });

  test('has the parts of an AggregateError, and their causes', () => {
    const parts = [
      at(new Error('a'), 'one (/app/a.js:1:1)'),
      at(new RangeError('b', { cause: 'why' }), 'two (/app/a.js:2:1)', 'same (/app/a.js:9:1)'),
      { code: 42 },
    ];
    const error = at(new AggregateError(parts, 'All promises were rejected'), 'same (/app/a.js:9:1)');
    expect(errorText(error)).toBe(
      [
        'AggregateError: All promises were rejected',
        '  1: Error: a',
        '  2: RangeError: b',
        '    cause: why',
        '  3: { code: 42 }',
        '    at same (/app/a.js:9:1)',
        '  1:',
        '    at one (/app/a.js:1:1)',
        '  2:',
        '    at two (/app/a.js:2:1)',
      ].join('\n'),
    );
    expect(messageOf(error)).toBe('All promises were rejected (1: a; 2: b; cause: why; 3: { code: 42 })');
  });

  test('has a name where there is no message, and the code where there is one', () => {
    expect(errorText(at(new RangeError()))).toBe('RangeError');
    expect(messageOf(new RangeError())).toBe('RangeError');
    const error = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
    expect(messageOf(error)).toBe('ECONNREFUSED (1: connect ECONNREFUSED 127.0.0.1:3999)');
    expect(errorText(error).split('\n')[0]).toBe('AggregateError: ECONNREFUSED');
  });

  test('does not repeat in the log what the message says already', () => {
    expect(messageOf(new Error(`No connection: ${refused.message}`, { cause: refused }))).toBe(
      'No connection: connect ECONNREFUSED 127.0.0.1:3999',
    );
  });

  test('has the message that the error has now', () => {
    const error = at(new Error('Bad Request'), 'here (/app/a.js:1:1)');
    error.message = 'Bad Request: to must be an email';
    expect(errorText(error)).toBe('Error: Bad Request: to must be an email\n    at here (/app/a.js:1:1)');
  });

  test('tells frames from a message that looks like some', () => {
    const inner = 'Error: inner\n    at inner (/app/b.js:1:1)';
    const text = errorText(at(new Error(`outer: ${inner}`), 'outer (/app/a.js:1:1)'));
    expect(errorParts(text)).toEqual({
      message: 'Error: outer: Error: inner\n   at inner (/app/b.js:1:1)',
      stack: '    at outer (/app/a.js:1:1)',
    });
    expect(errorParts('The result was not kept: it holds a NUL character.')).toEqual({
      message: 'The result was not kept: it holds a NUL character.',
      stack: '',
    });
  });

  test('has no frames of this package or of Node, unless there are no others', () => {
    const own = [
      `DeclaringProvider (${lib}/discovery/declaring.provider.ts:101:5)`,
      `file://${lib}/engine/running.run.ts:142:5`,
      'RunningRun.call (/srv/node_modules/.pnpm/nestjs-chronis@1/node_modules/nestjs-chronis/dist/engine/running.run.js:1:2)',
      'RunningRun.call (C:\\srv\\node_modules\\nestjs-chronis\\dist\\engine\\running.run.js:1:2)',
    ];
    const node = [
      'AsyncLocalStorage.run (node:async_hooks:346:14)',
      'process.processTicksAndRejections (node:internal/x:1:1)',
    ];
    const theirs = ['Mails.send (/app/lib/mails.js:3:4)', 'async Promise.all (index 0)'];
    const frames = (text: string): string[] => text.split('\n    at ').slice(1);
    expect(frames(errorText(at(new Error('no'), ...theirs, ...own, ...node)))).toEqual(theirs);
    expect(frames(errorText(at(new Error('no'), ...own, ...node)))).toEqual(node);
    expect(frames(errorText(at(new Error('no'), ...own)))).toEqual(own);
    expect(frames(errorText(at(new UnrecoverableError('no'), ...own)))).toEqual([]);
    const misuse = (): unknown => new InvalidOptionError('in', 'is wrong.');
    expect(frames(errorText(misuse()))[0]).toMatch(/^misuse \(.*shown\.error\.spec\.ts:/);
  });

  test('is the same where the error comes from another realm', () => {
    const foreign = runInNewContext(`
      class Odd extends Error {}
      new Odd('no', { cause: new AggregateError([new TypeError('inside')], 'several') })
    `) as Error;
    foreign.stack = 'Error: no\n    at foreign (/app/a.js:1:1)';
    expect(errorText(foreign).split('\n').slice(0, 4)).toEqual([
      'Error: no',
      '  cause: AggregateError: several',
      '    1: TypeError: inside',
      '    at foreign (/app/a.js:1:1)',
    ]);
  });
});

describe('what is thrown and no error', () => {
  class Money {
    constructor(readonly amount: number) {}
  }

  test.each<[unknown, string]>([
    [{ code: 42 }, '{ code: 42 }'],
    [[1, 'two'], "[ 1, 'two' ]"],
    [new Money(3), 'Money { amount: 3 }'],
    [Object.assign(Object.create(null), { code: 42 }), '[Object: null prototype] { code: 42 }'],
    [{ message: 'no', details: { field: 'to' } }, "{ message: 'no', details: { field: 'to' } }"],
    [new Map([['a', 1]]), "Map(1) { 'a' => 1 }"],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new URL('http://example.com/a'), 'http://example.com/a'],
    [function named() {}, '[Function: named]'],
    [Symbol('s'), 'Symbol(s)'],
    [10n, '10'],
    ['text', 'text'],
    [undefined, 'undefined'],
  ])('is shown: %o', (thrown, text) => {
    expect(errorText(thrown)).toBe(text);
    expect(messageOf(thrown)).toBe(text);
    expect(errorFields(thrown)).toEqual({ message: text });
  });

  test('of very many keys says how many they are', () => {
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i]));
    expect(errorText(wide)).toBe('An object with 100000 keys.');
    expect(errorText({ code: 42, wide })).toBe('{ code: 42, wide: [Object] }');
  });

  test('is cut, however large it is', () => {
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, 'x'.repeat(100)]));
    for (const thrown of [wide, [wide], { a: { wide } }, Buffer.alloc(10_000_000), 'x'.repeat(10_000_000)]) {
      expect(errorText(thrown).length).toBeLessThan(17_000);
      expect(messageOf(thrown).length).toBeLessThan(1_100);
    }
  });
});

describe('errors that nobody can bring to an end', () => {
  test.each<[string, () => unknown]>([
    [
      'a cycle of causes',
      () => {
        const [a, b] = [new Error('a'), new Error('b')];
        a.cause = b;
        b.cause = a;
        return a;
      },
    ],
    [
      'ten thousand causes',
      () => {
        let error = new Error('deep');
        for (let i = 0; i < 10_000; i++) error = new Error('deep', { cause: error });
        return error;
      },
    ],
    [
      'a million parts',
      () =>
        new AggregateError(
          Array.from({ length: 1_000_000 }, () => refused),
          'all',
        ),
    ],
    [
      'parts of parts',
      () => {
        let error = new AggregateError([], 'inner');
        for (let i = 0; i < 100; i++) error = new AggregateError([error, error, error], 'x'.repeat(10_000));
        return error;
      },
    ],
    [
      'a stack of 100 MB',
      () => Object.assign(new Error('long'), { stack: 'Error: long\n    at x\n'.repeat(5_000_000) }),
    ],
    [
      'a cause that throws',
      () =>
        Object.defineProperty(new Error('no'), 'cause', {
          get() {
            throw new Error('hidden');
          },
        }),
    ],
  ])('are cut: %s', (_, make) => {
    const error = make() as Error;
    expect(errorText(error).length).toBeLessThan(20_000);
    expect(messageOf(error).length).toBeLessThan(1_100);
    expect(stackOf(error)!.length).toBeLessThan(10_000);
    const event = { part: 'test', error };
    expect(JSON.stringify(new LogRecord('engine.failed', '', event)).length).toBeLessThan(500_000);
    const sent = [{ name: 'engine.failed' as const, at: 0, event }];
    const { messages } = packEvents({ from: 'a', instance: 'b', serial: 1 }, sent, 8_000);
    const [heard] = unpackEvents(messages[0]!)!.events;
    expect((heard!.event as typeof event).error).toMatchObject({ name: error.name });
  });
});

test('the ledger, the job and a callback have the text, the event the very error', async () => {
  const rig = new EngineRig();
  const error = new TypeError('fetch failed', { cause: refused });
  let payload: unknown;
  let thrown: unknown;
  rig.events.on('run.failed', (event) => (thrown = event.error));
  rig.handle('work', () => {
    throw error;
  });
  rig.handle('told', (context) => (payload = (context as { payload: unknown }).payload));
  await rig.engine.start();
  await rig.add({ policies: { onFailure: { handler: 'told' } } });
  await rig.settle();
  const text = errorText(error);
  const attempts = (await rig.storage.queryAttempts({ outcome: 'failed' }, {})).items;
  expect(attempts.map((attempt) => attempt.error)).toEqual([text]);
  expect(errorParts(text).message).toBe(
    'TypeError: fetch failed\n  cause: Error: connect ECONNREFUSED 127.0.0.1:3999',
  );
  expect(errorParts(text).stack).toMatch(/^ {4}at .*shown\.error\.spec\.ts/);
  expect(errorParts(text).stack).not.toContain('/lib/engine/');
  expect(payload).toMatchObject({ error: text });
  expect(thrown).toBe(error);
  await rig.stop();
});

test('a log for machines and other instances have the causes apart', () => {
  const error = at(
    new TypeError('fetch failed', { cause: Object.assign(refused, { code: 'ECONNREFUSED' }) }),
  );
  const event = { part: 'test', error };
  const inner = { name: 'Error', message: refused.message, code: 'ECONNREFUSED', stack: refused.stack };
  const expected = { name: 'TypeError', message: 'fetch failed', cause: inner };
  const line = JSON.parse(JSON.stringify(new LogRecord('engine.failed', '', event))) as typeof event;
  expect(line.error).toMatchObject(expected);
  const sent = [{ name: 'engine.failed' as const, at: 0, event }];
  const { messages } = packEvents({ from: 'a', instance: 'b', serial: 1 }, sent, 8_000);
  const heard = (unpackEvents(messages[0]!)!.events[0]!.event as typeof event).error;
  expect(heard).toBeInstanceOf(Error);
  expect(heard.cause).toBeInstanceOf(Error);
  expect(heard).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
  expect(heard.cause).toMatchObject(inner);
});

describe('passwords in an error', () => {
  const url = 'amqp://user:topsecret99@127.0.0.1:5672/%2F';
  const thrown: [string, unknown][] = [
    ['in a message', new Error(`connect to ${url} failed`)],
    ['in a cause', new Error('failed', { cause: new Error(url) })],
    ['in an object as the cause', new Error('failed', { cause: { url, err: new Error('refused') } })],
    [
      'in settings as the cause',
      new Error('failed', { cause: { url: { host: 'h', password: 'topsecret99' } } }),
    ],
    ['in settings as JSON', new Error('{"user":"u","password":"topsecret99"}')],
    ['in an object that was thrown', { url }],
    ['in a URL that was thrown', new URL(url)],
    ['in text that was thrown', url],
    ['in a part', new AggregateError([new Error(url)], 'all failed')],
    ['with characters that nobody encoded', new Error('no: redis://:top/s@c:topsecret99@host:6379, gone')],
    ['in a parameter', new Error('no: postgres://host/db?sslmode=require&password=topsecret99&a=b')],
    ['in words', new Error('connect host=h password=topsecret99 dbname=x')],
    ['in words with blanks', new Error("host=h password = 'topsec ret99' dbname=x")],
    ['in words of others', new Error('Server=h;User=u;Pwd=topsecret99;Port=1')],
    ['in words at the end', new Error('failed: DB_PASSWORD="topsecret99"')],
    ['in a token', new Error('GET /a?x=1 token=topsecret99, api_key=topsecret99; client_secret=topsecret99')],
    ['in an option', new Error('mysqldump --password=topsecret99 --host=h')],
    ['with a comma', new Error('no: nats://u:tops,ecret99,x@h is away')],
    ['where the text is cut', new Error(`${'x'.repeat(970)} ${url}`)],
    ['where an inspected text is cut', { url: `amqp://user:topsecret99${'x'.repeat(900)}@host` }],
  ];

  test.each(thrown)('%s are not shown', (_, error) => {
    for (const text of [
      errorText(error),
      messageOf(error),
      stackOf(error),
      JSON.stringify(new LogRecord('run.failed', '', { error })),
    ]) {
      expect(text ?? '').not.toMatch(/topsec|s@c/);
    }
    expect(errorText(error)).toMatch(/\*\*\*|x{100}/);
  });

  test.each([
    'GET http://127.0.0.1:3456/users?of=ada@example.com answered 500.',
    'connect ECONNREFUSED https://example.com:8443/a:b@c',
    'mail to ada@example.com: https://example.com/a refused',
    'password authentication failed for user "app"',
    'ssh://git@host/repo',
    'a: token is missing: password: must be text',
    'if (password === given) throw',
    'the token= is empty',
    'passwordless=true, tokens=5',
  ])('%s is shown as it is', (text) => {
    expect(messageOf(new Error(text))).toBe(text);
  });
});
