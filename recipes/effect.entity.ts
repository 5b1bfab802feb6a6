import { Entity, PrimaryColumn } from 'typeorm';

/** A row of the application. */
@Entity('effect')
export class Effect {
  @PrimaryColumn('text') name: string;
}
