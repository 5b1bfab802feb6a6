import type { StandingPause } from '../model/pause.js';

type Part = Pick<StandingPause, 'kind' | 'namespace' | 'name'>;

/** What is paused, such as `the queue "slow"`. */
export function pausedPart({ kind, namespace, name }: Part): string {
  if (kind === 'all') return 'everything';
  if (kind === 'job' && namespace !== 'default') return `the job "${name}" in "${namespace}"`;
  return `the ${kind} "${name}"`;
}

/** Such as `the pause of 2026-11-02T09:00:00.000Z (audit, by ops)`. */
export function whosePause({ at, reason, by }: Pick<StandingPause, 'at' | 'reason' | 'by'>): string {
  const why = [reason, by === null ? null : `by ${by}`].filter((part) => part !== null).join(', ');
  return `the pause of ${at.toISOString()}${why && ` (${why})`}`;
}

/** The call that ends it. */
export function resumeCall({ kind, namespace, name }: Part): string {
  if (kind !== 'job') return `resume({ ${kind}: ${kind === 'all' ? 'true' : `'${name}'`} })`;
  return `resumeJob('${name}'${namespace === 'default' ? '' : `, { namespace: '${namespace}' }`})`;
}

/** That it may have been forgotten. */
export function stalePauseWords(pause: StandingPause): string {
  const what = pausedPart(pause);
  return `${capital(what)} is still stopped by ${whosePause(pause)}, which has no end: it may have been forgotten. ${resumeCall(pause)} ends it, and pausing it again with "until" lets it end by itself.`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
