import type { DynamicModule } from '@nestjs/common';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';

/** The same in all processes, but for whether they run jobs. */
export function chronisFor(role: 'api' | 'worker'): DynamicModule {
  return ChronisModule.forRootAsync({
    useFactory: () => ({
      storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: process.env.SCHEMA ?? 'chronis' }),
      app: 'shop',
      name: `${role}-${process.pid}`,
      autoStart: role === 'worker',
    }),
  });
}
