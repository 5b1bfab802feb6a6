import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { RunHasVerdictError, SchedulerService } from 'nestjs-chronis';

export interface BankNotice {
  reference: string;
  paid: boolean;
  reason?: string;
}

/** Where the bank tells, in any process of the application. */
@Controller('webhooks')
export class WebhookController {
  constructor(private readonly scheduler: SchedulerService) {}

  @Post('bank')
  @HttpCode(204)
  async onNotice(@Body() { reference, paid, reason }: BankNotice): Promise<void> {
    try {
      if (paid) await this.scheduler.complete(reference, { paid });
      else await this.scheduler.fail(reference, new Error(reason));
    } catch (error) {
      // The bank tells things twice, or too late: what counts is the verdict that is there.
      if (!(error instanceof RunHasVerdictError)) throw error;
      console.log(`  notice for a run that is ${error.verdict} already`);
    }
  }
}
