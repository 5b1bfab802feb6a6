import type { ChronisHealth } from './chronis.health.js';
import type { FoundReason, HealthWord } from './health.answers.js';

/** What a health indicator of `@nestjs/terminus` gives. @publicApi */
export type HealthIndication<K extends string = string> = Record<
  K,
  { status: 'up' | 'down'; health?: HealthWord; reasons?: FoundReason[] }
>;

/**
 * The same in the form of `@nestjs/terminus` 10 to 12, which need not be installed: `healthCheckService.check([() => indicator.ready()])`. @publicApi
 */
export class ChronisHealthIndicator {
  /** @internal */
  constructor(private readonly health: ChronisHealth) {}

  /** `down` where a restart would help. */
  async live<K extends string = 'chronis'>(key = 'chronis' as K): Promise<HealthIndication<K>> {
    const { live, reasons } = this.health.live();
    return indication(key, live, reasons);
  }

  /** `down` where the process should get no work. */
  async ready<K extends string = 'chronis'>(key = 'chronis' as K): Promise<HealthIndication<K>> {
    const { ready, reasons } = await this.health.ready();
    return indication(key, ready, reasons);
  }

  /** `down` where it is `failing`, or `unknown`; `health` says which. */
  async check<K extends string = 'chronis'>(key = 'chronis' as K): Promise<HealthIndication<K>> {
    const { status, reasons } = await this.health.health();
    return indication(key, isUp(status), reasons, status);
  }
}

/** Whether the status is one to be content with. */
export function isUp(status: HealthWord): boolean {
  return status === 'ok' || status === 'degraded';
}

function indication<K extends string>(
  key: K,
  up: boolean,
  reasons: FoundReason[],
  health?: HealthWord,
): HealthIndication<K> {
  const value = {
    status: up ? ('up' as const) : ('down' as const),
    ...(health === undefined ? {} : { health }),
    ...(reasons.length > 0 ? { reasons } : {}),
  };
  return { [key]: value } as HealthIndication<K>;
}
