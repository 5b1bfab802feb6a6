import { Injectable, Module } from '@nestjs/common';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { ChronisModule, JobHandler, SchedulerService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { DataSource, Repository } from 'typeorm';
import { addTransactionalDataSource, Transactional } from 'typeorm-transactional';
import { Effect } from './effect.entity.js';

@Injectable()
export class Effects {
  constructor(
    @InjectRepository(Effect) private readonly effects: Repository<Effect>,
    private readonly scheduler: SchedulerService,
  ) {}

  @Transactional()
  async place(name: string, fail = false): Promise<void> {
    await this.effects.save({ name });
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
      dataSourceFactory: async (options) => addTransactionalDataSource(new DataSource(options!)),
    }),
    TypeOrmModule.forFeature([Effect]),
    ChronisModule.forRootAsync({
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => ({
        storage: typeOrmStorage({ dataSource }),
        // Within @Transactional() it is the manager of the transaction.
        transactionContext: () => dataSource.manager,
      }),
    }),
  ],
  providers: [Effects],
})
export class AppModule {}
