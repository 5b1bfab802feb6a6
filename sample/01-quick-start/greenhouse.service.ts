import { Injectable } from '@nestjs/common';
import { At, Cron, Interval, JobHandler, type RunContext } from 'nestjs-chronis';

/** A greenhouse that looks after itself. */
@Injectable()
export class GreenhouseService {
  @Interval('2s', { id: 'read-sensors' })
  readSensors(): string {
    return `${(18 + Math.random() * 8).toFixed(1)} °C`;
  }

  @Cron('*/5 * * * * *', { id: 'water-the-plants', timeZone: 'Europe/Lisbon' })
  async waterThePlants({ signal }: RunContext): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return signal.aborted ? 'stopped half-way' : '4 litres';
  }

  @At(new Date(Date.now() + 6_000), { id: 'open-the-roof' })
  openTheRoof(): string {
    return 'open';
  }

  @JobHandler('send-reminder')
  sendReminder({ payload }: RunContext<{ to: string; text: string }>): string {
    return `“${payload.text}” sent to ${payload.to}`;
  }
}
