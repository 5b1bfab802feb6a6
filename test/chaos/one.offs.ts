import type { SchedulerService } from '../../lib/index.js';
import { manners } from './chaos.options.js';
import { pause } from './pause.js';

/** A one-off whose creation was confirmed. */
export interface OneOff {
  id: string;
  confirmedAt: number;
}

/**
 * Creates one-offs until `endAt`; resolves with those that were confirmed. One in ten has a large payload. They may be lost three times, which is the default: as many
 * as no innocent run is.
 */
export async function createOneOffs(
  scheduler: SchedulerService,
  rate: number,
  endAt: number,
): Promise<OneOff[]> {
  const created: OneOff[] = [];
  const creating: Promise<void>[] = [];
  for (let n = 1; Date.now() < endAt; n++) {
    const id = `${manners[n % manners.length]}-one-off-${n}`;
    const payload = n % 10 === 0 ? { text: 'x'.repeat(50_000) } : null;
    creating.push(
      createOneOff(scheduler, id, { handler: 'one-off', in: 1 + (n % 20) * 100, payload }).then(
        () => void created.push({ id, confirmedAt: Date.now() }),
      ),
    );
    await pause(1_000 / rate);
  }
  await Promise.all(creating);
  return created;
}

/** Said again after an answer that was lost; `keep` makes sure that the id is still taken then. */
export async function createOneOff(
  scheduler: SchedulerService,
  id: string,
  job: { handler: string; in: number; payload?: { text: string } | null },
): Promise<void> {
  for (;;) {
    try {
      await scheduler.createDateJob({
        id,
        ...job,
        onConflict: 'ignore',
        keep: '1h',
        allowUnknownHandler: true,
      });
      return;
    } catch {
      await pause(200);
    }
  }
}
