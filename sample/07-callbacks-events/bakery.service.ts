import { Injectable } from '@nestjs/common';
import {
  JobHandler,
  OnJobEvent,
  type CallbackPayload,
  type ChronisEventMap,
  type RunContext,
} from 'nestjs-chronis';

/** A bakery whose oven fails now and then. */
@Injectable()
export class BakeryService {
  @JobHandler('bake')
  bake({ payload, attempt }: RunContext<{ what: string; ovenWorksFromAttempt: number }>): string {
    if (attempt < payload.ovenWorksFromAttempt) throw new Error('the oven is cold');
    return `${payload.what}, still warm`;
  }

  /** A run of its own: it happens also when the process dies right after the verdict. */
  @JobHandler('put-on-the-shelf')
  putOnTheShelf({ payload, job }: RunContext<CallbackPayload>): void {
    console.log(`  callback ${job.id}: ${JSON.stringify(payload.result)}`);
  }

  @JobHandler('call-the-electrician')
  callTheElectrician({ payload, job }: RunContext<CallbackPayload>): void {
    const [error] = (payload.error ?? '').split('\n');
    console.log(`  callback ${job.id}: ${payload.verdict} after ${payload.attempt} attempts, ${error}`);
  }

  @OnJobEvent('retrying', { handler: 'bake' })
  onRetry({ jobId, attempt }: ChronisEventMap['run.retrying']): void {
    console.log(`  event    ${jobId}: attempt ${attempt} failed, there is another one`);
  }
}
