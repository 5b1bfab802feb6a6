import { Injectable, Module } from '@nestjs/common';
import { Transactional, TransactionHost, ClsPluginTransactional } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { ClsModule } from 'nestjs-cls';
import { ChronisModule, JobHandler, SchedulerService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { Effect } from './effect.entity.js';

@Injectable()
export class Effects {
  constructor(
    private readonly host: TransactionHost<TransactionalAdapterTypeOrm>,
    private readonly scheduler: SchedulerService,
  ) {}

  @Transactional()
  async place(name: string, fail = false): Promise<void> {
    await this.host.tx.save(Effect, { name });
    await this.scheduler.createDateJob({ id: name, handler: 'remind', in: '1h' });
    if (fail) throw new Error('undone');
  }

  @JobHandler('remind')
  remind(): void {}
}

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Effect] }),
    }),
    ClsModule.forRoot({
      plugins: [
        new ClsPluginTransactional({
          imports: [TypeOrmModule],
          adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
        }),
      ],
    }),
    ChronisModule.forRootAsync({
      inject: [TransactionHost],
      useFactory: (host: TransactionHost<TransactionalAdapterTypeOrm>) => ({
        storage: typeOrmStorage({ dataSource: getDataSourceToken() }),
        // Within @Transactional() it is the manager of the transaction.
        transactionContext: () => host.tx,
      }),
    }),
  ],
  providers: [Effects],
})
export class AppModule {}
