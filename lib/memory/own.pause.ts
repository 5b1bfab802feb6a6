import type { Pause } from '../model/job.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import type { OwnPause } from './tables.js';

/** The same pause with another end, or with none. */
export function withEnd<T extends OwnPause>(pause: T, until: EpochMs | null | undefined): T {
  if ((until ?? undefined) === pause.until) return pause;
  const { until: _until, told: _told, ...endless } = pause;
  return (until == null ? endless : { ...endless, until }) as T;
}

export function toPause({ reason, by, at, until }: OwnPause): Pause {
  return { reason, by, at: new Date(at), until: until === undefined ? null : new Date(until) };
}
