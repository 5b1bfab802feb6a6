import { Injectable, ParseIntPipe, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { JobHandler, Payload, type RunContext } from 'nestjs-chronis';
import { Basket, OpenShopGuard, shops, SoldOutError, SoldOutFilter, ThankYou } from './around.js';

@Injectable()
@UseGuards(OpenShopGuard)
export class OrderService {
  constructor(private readonly basket: Basket) {}

  @JobHandler('order', { useEnhancers: true })
  @UseInterceptors(ThankYou)
  @UseFilters(SoldOutFilter)
  order({ payload }: RunContext<string>): string {
    if (payload === 'moon cake') throw new SoldOutError('moon cake is sold out');
    this.basket.items.push(payload);
    return `${shops.getStore()}, ${this.basket.label()}: ${this.basket.items.join(', ')}`;
  }

  @JobHandler('restock')
  restock(@Payload(ParseIntPipe) pieces: number): number {
    return pieces * 12;
  }
}
