// Never run: the type check fails when a line marked as an error compiles, or when another does not.
import type { DataSource } from 'typeorm';
import { At, ChronisModule } from '../../lib/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';

declare const dataSource: DataSource;
const url = 'postgres://localhost/app';

export function oneServer(): void {
  typeOrmStorage({ url, schema: 'jobs', statementTimeoutMs: '10s' });
  typeOrmStorage({ url: process.env.DATABASE_URL });
  typeOrmStorage({ dataSource, connectTimeoutMs: { minutes: 1 } });
  typeOrmStorage({ dataSource: 'token' });
  typeOrmStorage({ options: { host: 'localhost' } });
  typeOrmLock();
  typeOrmLock({ url });
  // @ts-expect-error None.
  typeOrmStorage({});
  // @ts-expect-error None.
  typeOrmStorage({ schema: 'jobs' });
  // @ts-expect-error Two.
  typeOrmStorage({ url, dataSource });
  // @ts-expect-error None.
  typeOrmLock({});
  // @ts-expect-error There is no such option.
  typeOrmStorage({ url, pool: 3 });
}

export class OneOffs {
  @At('2030-01-01', { misfire: 'skip', timeout: '5 minutes' })
  once(): void {}

  // @ts-expect-error Of what recurs.
  @At('2030-01-01', { overlap: 'queue' })
  overlapping(): void {}
}

export function durationsInAllForms(): void {
  ChronisModule.forRoot({ pollMs: '5 seconds', leaseMs: { seconds: 30 }, keepLedger: { days: 30 } });
  ChronisModule.forRoot({
    keepLedger: { default: '30 days', failed: { weeks: 12 } },
    shutdownTimeoutMs: 25_000,
  });
}
