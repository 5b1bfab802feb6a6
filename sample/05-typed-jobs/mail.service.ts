import { Injectable } from '@nestjs/common';
import { JobHandler, type RunContext } from 'nestjs-chronis';
import { SendMail } from './mail.jobs.js';

@Injectable()
export class MailService {
  /** Gets what the schema makes of the payload: the default subject, and a Date. Another type here does not compile. */
  @SendMail.Handle()
  send({ payload }: RunContext<{ to: string; subject: string; sendAfter: Date }>): string {
    return `“${payload.subject}” to ${payload.to}, after ${payload.sendAfter.toISOString()}`;
  }

  @JobHandler('count-bounces')
  countBounces({ payload }: RunContext<{ domain: string }>): string {
    return `0 bounces from ${payload.domain}`;
  }
}
