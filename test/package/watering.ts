// What the specs in the throwaway apps test: a module with a forRoot and a database of its own.
import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, Cron, JobHandler, type RunContext } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';

@Injectable()
export class Valve {
  readonly opened: string[] = [];

  open(bed: string): void {
    this.opened.push(bed);
  }
}

@Injectable()
export class WateringService {
  constructor(private readonly valve: Valve) {}

  @Cron('0 6 * * *', { id: 'morning' })
  morning(): void {
    this.valve.open('roses');
  }

  @JobHandler('water')
  water({ payload, attempt }: RunContext<{ bed: string }>): void {
    if (attempt === 1) throw new Error('No pressure yet.');
    this.valve.open(payload.bed);
  }
}

const storage = typeOrmStorage({ url: 'postgres://garden.invalid/never-asked' });

@Module({ imports: [ChronisModule.forRoot({ storage })], providers: [Valve, WateringService] })
export class WateringModule {}
