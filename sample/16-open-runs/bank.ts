import { Injectable } from '@nestjs/common';
import type { BankNotice } from './webhook.controller.js';

interface BankOrder {
  reference: string;
  amount: number;
  attempt: number;
}

/** Stands in for a bank: small sums are paid, larger ones declined the first time, and of very large ones it never tells. */
@Injectable()
export class Bank {
  webhook = '';

  async order({ reference, amount, attempt }: BankOrder): Promise<void> {
    if (amount >= 1_000) return;
    const isDeclined = amount >= 100 && attempt === 1;
    const notice: BankNotice = isDeclined
      ? { reference, paid: false, reason: 'over the limit' }
      : { reference, paid: true };
    setTimeout(() => void this.tell(notice), 100);
    // Once more, as webhooks do.
    if (!isDeclined) setTimeout(() => void this.tell(notice), 400);
  }

  private async tell(notice: BankNotice): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    await fetch(this.webhook, { method: 'POST', headers, body: JSON.stringify(notice) });
  }
}
