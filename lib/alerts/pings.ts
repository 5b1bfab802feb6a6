import { createHash } from 'node:crypto';
import type { ChronisEventMap, ChronisEvents, RunEvent } from '../index.js';
import { post } from './posting.js';

/** One call to an address. */
export interface Ping {
  url: URL;
  body: string;
}

/** What pings need: who has a ping, and where it goes. */
interface PingParts {
  events: ChronisEvents;
  urls: ReadonlyMap<string, URL>;
  /** Bounded, and without secrets. */
  textOf: (name: 'run.failed' | 'run.timed_out' | 'run.lost' | 'run.cancelled', event: never) => string;
  push: (key: string, ping: Ping) => void;
}

type Run = Pick<RunEvent, 'runId' | 'jobId' | 'namespace' | 'handler'>;
const failures = ['run.failed', 'run.timed_out', 'run.lost', 'run.cancelled'] as const;

/** Tells an address when a run starts, succeeds or fails, as healthchecks.io has it. Returns what ends that. */
export function pingOf({ events, urls, textOf, push }: PingParts): (() => void)[] {
  if (urls.size === 0) return [];
  const ping = (run: Run, ending: '' | '/start' | '/fail', body = ''): void => {
    const key = run.namespace === 'default' && urls.has(run.jobId) ? run.jobId : run.handler;
    const url = urls.get(key);
    if (url !== undefined) push(key, { url: addressOf(url, ending, run.runId), body });
  };
  return [
    events.on('run.started', (run) => {
      // An attempt that follows belongs to the run that has started.
      if (run.attempt === 1) ping(run, '/start');
    }),
    events.on('run.succeeded', (run) => ping(run, '')),
    ...failures.map((name) =>
      events.on(name, (run: ChronisEventMap[typeof name]) => {
        // Nobody waits for the end of what has not begun.
        if (!('hasBegun' in run) || run.hasBegun) ping(run, '/fail', textOf(name, run as never));
      }),
    ),
    events.on('workers.released', ({ gaveUp }) => {
      for (const run of gaveUp) ping(run, '/fail', 'Its worker has died.');
    }),
  ];
}

/** Sends one. */
export function sendPing({ url, body }: Ping, signal: AbortSignal): Promise<void> {
  return post(url, body, { 'Content-Type': 'text/plain; charset=utf-8' }, signal);
}

function addressOf(base: URL, ending: string, runId: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, '') + ending;
  url.searchParams.set('rid', uuidOf(runId));
  return url;
}

/** The same for all pings of a run, whichever process sends them: a UUID of version 8, which is made of a hash. */
export function uuidOf(runId: string): string {
  const bytes = createHash('sha256').update(`nestjs-chronis run ${runId}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
