import type { ChronisEvents } from 'nestjs-chronis';

const paint = (code: number, text: string): string =>
  process.stdout.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text;
const time = (date: Date): string => date.toISOString().slice(11, 23);

/** Prints one line for each run that ends. */
export function printRuns(events: ChronisEvents): void {
  const lags = new Map<string, number>();
  events.on('run.started', ({ runId, lagMs }) => lags.set(runId, lagMs));
  events.on('run.succeeded', ({ runId, jobId, nominalAt, durationMs }) => {
    const lag = `+${lags.get(runId) ?? 0} ms`;
    lags.delete(runId);
    console.log(
      `${paint(32, '✓')} ${jobId.slice(0, 22).padEnd(22)}  due ${time(nominalAt)}  started ${lag.padStart(7)}  took ${durationMs} ms`,
    );
  });
  events.on('run.failed', ({ jobId, error }) => {
    console.log(`${paint(31, '✗')} ${jobId.padEnd(22)}  ${String(error)}`);
  });
}
