import { Injectable } from '@nestjs/common';
import { JobHandler, type RunContext } from 'nestjs-chronis';
import { Bank } from './bank.js';

/** Transfers money. The bank takes orders at once, and tells later what became of them. */
@Injectable()
export class OrderService {
  constructor(private readonly bank: Bank) {}

  @JobHandler('transfer')
  async transfer({ runId, payload, attempt, open }: RunContext<{ amount: number }>): Promise<void> {
    console.log(`  transfer of ${payload.amount}, attempt ${attempt}: the bank is asked`);
    await this.bank.order({ reference: runId, amount: payload.amount, attempt });
    return open({ deadline: '1500ms' });
  }
}
