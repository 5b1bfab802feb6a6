import { WakeSignal, type Wake, type WakeWatcher } from '../ports/wake.signal.js';
import type { NotifyConnection } from './notify.connection.js';

/** Wakes by LISTEN; after the connection was lost with one `change`. */
export class NotifySignal extends WakeSignal {
  constructor(
    private readonly connection: NotifyConnection,
    private readonly channel: string,
  ) {
    super();
  }

  subscribe(listener: (wake: Wake) => void, watcher?: WakeWatcher): Promise<() => Promise<void>> {
    return this.connection.listen({
      channel: this.channel,
      hear: (payload) => listener(toWake(payload)),
      lost: (error) => watcher?.lost(error),
      resumed: () => {
        watcher?.resumed();
        listener({ kind: 'change' });
      },
    });
  }
}

/** What a notification says: `run <epoch ms>`, `cursor <epoch ms>` or `due <epoch ms>` for either, `cancel`, `release` or `change`; what a later release may say is a change too. */
function toWake(payload: string): Wake {
  if (payload === 'cancel' || payload === 'release') return { kind: payload };
  const due = /^(due|run|cursor) (-?\d+)$/.exec(payload);
  if (!due) return { kind: 'change' };
  const at = Number(due[2]);
  return due[1] === 'due' ? { kind: 'due', at } : { kind: 'due', at, what: due[1] as 'run' | 'cursor' };
}
