import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { Basket, ShopInterceptor } from './around.js';
import { OrderService } from './order.service.js';
import { ReportModule } from './report.module.js';

const configuration = { REPORT_CRON: '30 2 * * MON-FRI', HOURLY_REPORTS: 'off' };

function storageIn(schema: string) {
  return { storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema }), lock: typeOrmLock() };
}

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => configuration] }),
    ReportModule,
    ChronisModule.forRoot({ ...storageIn('shop_sample'), interceptors: [ShopInterceptor] }),
    ChronisModule.forRootAsync({
      instance: 'reports',
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        ...storageIn('shop_sample_reports'),
        overrides: { hourly: { disabled: config.get('HOURLY_REPORTS') === 'off' } },
      }),
    }),
  ],
  providers: [OrderService, Basket, ShopInterceptor],
})
export class AppModule {}
