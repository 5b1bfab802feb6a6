import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { jobs, role } from './chaos.options.js';
import type { Database } from './databases.js';
import { TcpProxy } from './tcp.proxy.js';

/** An application that creates and changes jobs and runs none itself. */
export class Applicant {
  private constructor(
    private readonly app: INestApplicationContext,
    private readonly proxy: TcpProxy,
  ) {}

  static async begin(database: Database): Promise<Applicant> {
    const proxy = await TcpProxy.to(database.port);
    const url = new URL(database.url);
    url.username = role;
    url.port = String(proxy.port);
    const storage = typeOrmStorage({
      url: url.href,
      schema: jobs,
      statementTimeoutMs: 2_000,
    });
    @Module({ imports: [ChronisModule.forRoot({ storage, app: 'chaos', autoStart: false })] })
    class ApplicantModule {}
    const app = await NestFactory.createApplicationContext(ApplicantModule, { logger: ['error'] });
    return new Applicant(app, proxy);
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  pointTo(port: number): void {
    this.proxy.pointTo(port);
  }

  async end(): Promise<void> {
    await this.app.close();
    this.proxy.close();
  }
}
