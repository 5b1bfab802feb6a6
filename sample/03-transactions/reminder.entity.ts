import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('sample_reminder')
export class Reminder {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  text!: string;

  @Column('timestamptz', { nullable: true })
  sentAt!: Date | null;
}
