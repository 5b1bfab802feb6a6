import { Body, Controller, HttpCode, Module, Param, Post } from '@nestjs/common';
import { SchedulerService } from 'nestjs-chronis';
import { chronisFor } from './chronis.js';
import { HealthController } from './health.controller.js';
import { JobsModule, SendReceipt } from './shop.jobs.js';

@Controller()
export class OrdersController {
  constructor(private readonly scheduler: SchedulerService) {}

  @Post('orders')
  async place(@Body() { order }: { order: string }): Promise<{ job: string }> {
    const job = await this.scheduler.schedule(SendReceipt, {
      id: `receipt-${order}`,
      payload: { order },
      in: 0,
    });
    return { job: job.id };
  }

  @Post('reports/:id')
  @HttpCode(202)
  async report(@Param('id') id: string): Promise<{ run: string }> {
    return { run: (await this.scheduler.runNow(id)).id };
  }
}

@Module({ imports: [JobsModule, chronisFor('api')], controllers: [OrdersController, HealthController] })
export class ApiModule {}
