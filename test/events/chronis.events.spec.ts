import { describe, expect, test } from 'vitest';
import { ChronisEvents } from '../../lib/events/chronis.events.js';

const failing = { operation: 'claim', error: null, retryInMs: 0 };

describe('an emitter', () => {
  test('knows whether anybody hears an event', () => {
    const events = new ChronisEvents();
    expect(events.hears('storage.failing')).toBe(false);
    const stop = events.on('storage.failing', () => undefined);
    expect(events.hears('storage.failing')).toBe(true);
    expect(events.hears('storage.recovered')).toBe(false);
    stop();
    expect(events.hears('storage.failing')).toBe(false);
    events.onAny(() => undefined);
    expect(events.hears('storage.failing')).toBe(true);
  });

  test('tells nobody what he does not want', () => {
    const events = new ChronisEvents();
    const told: string[] = [];
    let wanted = false;
    events.onAny((name) => told.push(name), { wants: (name) => wanted && name === 'storage.failing' });
    events.emit('storage.failing', failing);
    wanted = true;
    expect(events.hears('storage.failing')).toBe(true);
    expect(events.hears('storage.recovered')).toBe(false);
    events.emit('storage.failing', failing);
    events.emit('storage.recovered', { operation: 'claim', failures: 1 });
    expect(told).toEqual(['storage.failing']);
  });
});
