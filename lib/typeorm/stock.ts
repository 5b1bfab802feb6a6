import type { Stock } from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';

interface StockRow {
  now: number;
  queues: Stock['queues'] | null;
  unclaimable: Stock['unclaimable'] | null;
  workers: Stock['workers'];
  pauses: Stock['pauses'] | null;
}

export async function takeStock(run: Run): Promise<Stock> {
  const [row] = await run<StockRow>('takeStock');
  const { now, queues, unclaimable, workers, pauses } = row!;
  return { now, queues: queues ?? [], unclaimable: unclaimable ?? [], workers, pauses: pauses ?? [] };
}
