import { Injectable } from '@nestjs/common';
import { JobHandler, type DurableStepTry, type RunContext } from 'nestjs-chronis';
import 'nestjs-chronis/typeorm';
import { Shop } from './shop.js';

interface Order {
  order: string;
  amount: number;
}

const charge = 'insert into durable_sample.payment (order_id, amount) values ($1, $2)';
const maxRetries = 1;

/** Reserves, charges, waits for an approval and ships; what cannot be shipped is paid back. */
@Injectable()
export class OrderService {
  constructor(private readonly shop: Shop) {}

  @JobHandler('order')
  async order({ payload, step, sleep, waitFor }: RunContext<Order>): Promise<string> {
    const { order, amount } = payload;
    await step('reserve', () => this.shop.reserve(order));
    // Its row and the end of the step are one commit: it is there once, whatever dies when.
    await step.transaction('charge', (manager) => manager.query(charge, [order, amount]));
    const { by } = await waitFor<{ by: string }>('approved', { timeout: '1m' });
    await sleep('300ms');
    const ship = ({ retry }: DurableStepTry): Promise<string | null> =>
      // The step returns that it cannot be shipped, so that this is on record: no later attempt ships what was paid back.
      this.shop.ship(order).catch((error: unknown) => {
        if (retry < maxRetries) throw error;
        return null;
      });
    const parcel = await step('ship', ship, { maxRetries, backoff: '200ms' });
    if (parcel !== null) return `shipped as ${parcel}, approved by ${by}`;
    await step.transaction('refund', (manager) => manager.query(charge, [order, -amount]));
    await step('release', () => this.shop.release(order));
    return `paid back, though approved by ${by}`;
  }
}
