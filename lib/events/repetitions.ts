import type { ChronisEventMap, ChronisEventName } from './event.map.js';

const oncePerMs = 60_000;
const mostKnown = 1_000;

/**
 * Which lines repeat themselves: what goes as it should, of one handler or job, again and again. At `debug`, which Nest shows by default, a job of every second would leave no room
 * for anything else.
 */
export class Repetitions {
  private readonly known = new Map<string, { toldAt: number; untold: number }>();

  /** How many of its kind were left out since the last one that was written; null: this one is left out too. */
  untold<N extends ChronisEventName>(name: N, event: ChronisEventMap[N], now: number): number | null {
    const subject = subjectOf(name, event as never);
    if (subject === null) return 0;
    const key = `${name} ${subject}`;
    const last = this.known.get(key);
    // A clock may go back.
    if (last !== undefined && now - last.toldAt < oncePerMs && now >= last.toldAt) {
      last.untold++;
      return null;
    }
    if (this.known.size >= mostKnown) this.known.clear();
    this.known.set(key, { toldAt: now, untold: 0 });
    return last?.untold ?? 0;
  }
}

/** What it is one of many of; null: it is worth a line of its own. */
function subjectOf(name: ChronisEventName, event: ChronisEventMap[never]): string | null {
  if (
    name === 'run.isolated' ||
    name === 'run.result-dropped' ||
    name === 'run.succeeded' ||
    name === 'run.snoozed' ||
    name === 'run.opened'
  ) {
    // Jobs that are made at run time have ids of their own.
    return (event as ChronisEventMap['run.succeeded']).handler;
  }
  if (name !== 'gap.recorded') return null;
  const { namespace, id, verdict } = event as ChronisEventMap['gap.recorded'];
  return verdict === 'missed' ? null : JSON.stringify([namespace, id]);
}
