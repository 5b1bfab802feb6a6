import { Injectable } from '@nestjs/common';

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The other side; it tells the parent process whatever it is asked to do. */
@Injectable()
export class Shop {
  async reserve(order: string): Promise<void> {
    this.tell(order, 'reserve');
  }

  async ship(order: string): Promise<string> {
    this.tell(order, 'ship');
    // Time enough for this process to be killed in the middle of it.
    await later(500);
    if (order === 'chair') throw new Error('There is no parcel of this size.');
    return `parcel of the ${order}`;
  }

  async release(order: string): Promise<void> {
    this.tell(order, 'release');
  }

  private tell(order: string, what: string): void {
    process.send?.({ order, what });
  }
}
