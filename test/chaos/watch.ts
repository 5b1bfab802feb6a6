import pg from 'pg';
import { jobs } from './chaos.options.js';
import type { Cluster } from './cluster.js';
import { lookEveryMs, type Sighting } from './evidence.js';
import { pause } from './pause.js';

interface Seen {
  run_id: string;
  fence: number;
  job_id: string;
  pid: number | null;
}

/** Looks again and again which runs are in whose hands, until it is told to stop. While the server is away nothing is seen. */
export class Watch {
  readonly sightings: Sighting[] = [];
  private readonly open = new Map<string, Sighting>();
  private stopped = false;
  private client: pg.Client | null = null;

  constructor(private readonly cluster: Cluster) {}

  async keep(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.look();
      } catch {
        await this.client?.end().catch(() => undefined);
        this.client = null;
      }
      await pause(lookEveryMs);
    }
    await this.client?.end().catch(() => undefined);
  }

  stop(): void {
    this.stopped = true;
  }

  private async look(): Promise<void> {
    const { rows } = await (
      await this.connection()
    ).query<Seen>(`
      select r.id::text as run_id, r.fence, r.job_id, w.pid from ${jobs}.run r left join ${jobs}.worker w on w.id = r.worker
      where r.worker is not null and r.verdict is null`);
    const at = Date.now();
    const present = new Set<string>();
    for (const { run_id: runId, fence, job_id: jobId, pid } of rows) {
      const key = `${runId} ${fence}`;
      present.add(key);
      const seen = this.open.get(key);
      if (seen !== undefined) seen.lastAt = at;
      else {
        const fresh = { runId, fence: Number(fence), jobId, pid, firstAt: at, lastAt: at };
        this.open.set(key, fresh);
        this.sightings.push(fresh);
      }
    }
    for (const key of this.open.keys()) if (!present.has(key)) this.open.delete(key);
  }

  private async connection(): Promise<pg.Client> {
    if (this.client !== null) return this.client;
    const client = new pg.Client({
      connectionString: this.cluster.database.url,
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    this.client = client;
    return client;
  }
}
