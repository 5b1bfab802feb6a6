import { describe, expect, test } from 'vitest';
import { errorFingerprint } from '../../lib/engine/error.fingerprint.js';
import { RunAbortedError } from '../../lib/index.js';
import { fingerprintOf, lostFingerprint } from '../../lib/ports/fingerprint.js';

/** As it would be thrown at these places. */
function thrown(message: string, frames: readonly string[], more: object = {}): Error {
  const error = Object.assign(new Error(message), more);
  error.stack = [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

const place = ['Mails.send (/app/dist/mail/mails.js:12:11)', 'Mails.all (/app/dist/mail/mails.js:80:3)'];

describe('failures of one kind', () => {
  test.each([
    [
      'on other lines',
      ['Mails.send (/app/dist/mail/mails.js:14:1)', 'Mails.all (/app/dist/mail/mails.js:99:3)'],
    ],
    ['in another folder', place.map((frame) => frame.replace('/app/', '/srv/releases/20261130/'))],
    [
      'on another system',
      place.map((frame) => frame.replace('/app/dist/', 'C:\\app\\dist\\').replace('mail/', 'mail\\')),
    ],
    ['of modules', place.map((frame) => frame.replace('/app/', 'file:///app/'))],
    ['through a library', [place[0]!, 'run (/app/node_modules/lib/index.js:1:1)', place[1]!]],
    ['in a deeper recursion', [place[0]!, place[0]!, place[1]!, place[1]!]],
  ])('are the same %s', (_, frames) => {
    expect(errorFingerprint(thrown('to ada@example.com', frames))).toBe(
      errorFingerprint(thrown('to bob@example.com', place)),
    );
  });

  test.each([
    ['another function', thrown('no', ['Mails.drop (/app/dist/mail/mails.js:12:11)', place[1]!])],
    ['another file', thrown('no', ['Mails.send (/app/dist/mail/other.js:12:11)', place[1]!])],
    ['another code', thrown('no', place, { code: 'ETIMEDOUT' })],
    ['another class', thrown('no', place, { name: 'TypeError' })],
  ])('are others with %s', (_, error) => {
    expect(errorFingerprint(error)).not.toBe(errorFingerprint(thrown('no', place)));
  });

  test.each([
    ['order 4711 failed', 'order 12 failed'],
    ["no user 'ada'", "no user 'bob'"],
    ['missing 0b0e3c7e-3b4c-4d7a-9b1e-0d5f0c1a2b3c', 'missing 9f1d2c3b-aaaa-4bbb-8ccc-0123456789ab'],
    ['job 01HZX3V9K2M4N6P8 is gone', 'job 01J0A1B2C3D4E5F6 is gone'],
    ['after 1.5s', 'after 20.75s'],
  ])('without a place are told by their message: %s', (one, other) => {
    const of = (message: string): string => errorFingerprint(thrown(message, []));
    expect(of(one)).toBe(of(other));
    expect(of(one)).not.toBe(of('something else'));
    expect(errorFingerprint(one)).toBe(errorFingerprint(other));
  });

  test('do not depend on our own code', () => {
    expect(errorFingerprint(new RunAbortedError('timeout'))).toBe(
      (() => errorFingerprint(new RunAbortedError('timeout')))(),
    );
  });

  test('are told of anything that is thrown, however hostile', () => {
    const trap = new Proxy(new Error('no'), {
      get: () => {
        throw new Error('trapped');
      },
    });
    const getter = Object.defineProperty(new Error('no'), 'stack', {
      get: () => {
        throw new Error('trapped');
      },
    });
    const long = thrown('no', [`f (${'/a'.repeat(30_000)}/x.js:1:1)`, '('.repeat(60_000)]);
    const loop = new Error('loop');
    loop.cause = loop;
    for (const each of [trap, getter, long, loop, null, undefined, 7, {}, [], Symbol('x'), () => 1]) {
      expect(errorFingerprint(each)).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  test('of what was lost has a number of its own', () => {
    expect(lostFingerprint).toBe(fingerprintOf('lost'));
  });
});
