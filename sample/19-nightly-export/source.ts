import { Injectable } from '@nestjs/common';

export interface Row {
  id: number;
  price: string;
}

/** Stands in for a system that somebody else looks after: one of its rows has a price that is none. */
@Injectable()
export class Source {
  private readonly rows: Row[] = [
    { id: 1, price: '10' },
    { id: 2, price: 'twenty' },
    { id: 3, price: '30' },
  ];

  ids(): number[] {
    return this.rows.map(({ id }) => id);
  }

  row(id: number): Row {
    return this.rows.find((row) => row.id === id)!;
  }

  correct(id: number, price: string): void {
    this.row(id).price = price;
  }
}
