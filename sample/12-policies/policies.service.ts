import { Injectable } from '@nestjs/common';
import { Cron, JobHandler, UnrecoverableError, type RunContext } from 'nestjs-chronis';

/** What goes wrong, and what each job says should happen then. */
@Injectable()
export class PolicyJobs {
  printerWorks = false;

  @JobHandler('charge')
  charge({ attempt }: RunContext): string {
    if (attempt < 3) throw new Error('the bank does not answer');
    return 'paid';
  }

  @JobHandler('print')
  print(): string {
    if (!this.printerWorks) throw new Error('no paper');
    return 'printed';
  }

  @JobHandler('mail')
  mail(): void {
    throw new UnrecoverableError('no such address');
  }

  @JobHandler('call')
  async call({ signal }: RunContext): Promise<void> {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }

  @Cron('0 * * * *', { id: 'catch-up-once', misfire: 'once' })
  once({ missed }: RunContext): string {
    return missed === 0 ? '' : `stands for ${missed} more`;
  }

  @Cron('0 * * * *', { id: 'catch-up-all', misfire: 'all', misfireLimit: { count: 3 } })
  all(): void {}

  @Cron('0 * * * *', { id: 'catch-up-never', misfire: 'skip' })
  never(): void {}
}
