import { Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { Reminder } from './reminder.entity.js';
import { ReminderService } from './reminder.service.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        url: process.env.DATABASE_URL!,
        entities: [Reminder],
        synchronize: true,
      }),
    }),
    ChronisModule.forRoot({
      storage: typeOrmStorage({ dataSource: getDataSourceToken(), schema: 'transactions_sample' }),
      lock: typeOrmLock(),
      app: 'transactions-sample',
    }),
  ],
  providers: [ReminderService],
})
export class AppModule {}
