import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KeptConnection } from '../../lib/typeorm/kept.connection.js';

const aWhileMs = 2_000;

describe('the connection at hand', () => {
  let kept: KeptConnection<{ connection: { stream: { destroyed: boolean; writable: boolean } } }>;
  let released: (string | undefined)[];

  beforeEach(() => {
    vi.useFakeTimers();
    kept = new KeptConnection();
    released = [];
  });

  afterEach(() => void vi.useRealTimers());

  const connection = (stream = { destroyed: false, writable: true }) =>
    [{ connection: { stream } }, (error?: Error) => void released.push(error?.message)] as const;

  test('is handed to the next one, once', () => {
    const one = connection();
    kept.put(one);
    expect(kept.take()).toBe(one);
    expect(kept.take()).toBeNull();
    expect(released).toEqual([]);
  });

  test('is one: another one goes back', () => {
    kept.put(connection());
    kept.put(connection());
    expect(released).toEqual([undefined]);
  });

  test('goes back when it was not used for a moment', () => {
    kept.put(connection());
    vi.advanceTimersByTime(aWhileMs);
    expect(released).toEqual([undefined]);
    expect(kept.take()).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stays as long as it is used', () => {
    const one = connection();
    kept.put(one);
    for (let n = 0; n < 20; n++) {
      vi.advanceTimersByTime(aWhileMs / 4);
      expect(kept.take()).toBe(one);
      kept.put(one);
    }
    expect(released).toEqual([]);
  });

  test.each([
    { destroyed: true, writable: false },
    { destroyed: false, writable: false },
  ])('is no use when it has ended meanwhile: %o', (stream) => {
    const alive = { destroyed: false, writable: true };
    kept.put(connection(alive));
    Object.assign(alive, stream);
    expect(kept.take()).toBeNull();
    expect(released).toEqual(['It has ended while nobody used it.']);
  });

  test('goes back at the end, and so does what comes after it', () => {
    kept.put(connection());
    kept.close();
    kept.put(connection());
    expect(released).toEqual([undefined, undefined]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
