import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { SchedulerService, type SchedulerHealth } from 'nestjs-chronis';

interface Answer {
  status(code: number): unknown;
}

/** For the probes of the platform, in the API and in the workers. */
@Controller()
export class HealthController {
  constructor(private readonly scheduler: SchedulerService) {}

  /** The process answers; an outage of the database is no reason to restart it. */
  @Get('livez')
  live(): string {
    return 'ok';
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) answer: Answer): Promise<SchedulerHealth> {
    const health = await this.scheduler.health({ timeout: '1s' });
    if (!health.healthy || health.state === 'draining') answer.status(HttpStatus.SERVICE_UNAVAILABLE);
    return health;
  }
}
