import type { OnApplicationShutdown } from '@nestjs/common';
import type { ChronisEvents, Clock, SchedulerHealth, SchedulerService } from '../index.js';
import type { FoundReason, HealthAnswer, LiveAnswer, ReadyAnswer } from './health.answers.js';
import type { HealthSettings } from './health.options.js';
import { HealthProbe } from './health.probe.js';

/** How this process is, for probes. Inject it for routes of your own. @publicApi */
export class ChronisHealth implements OnApplicationShutdown {
  private readonly probe: HealthProbe;
  private readonly stops: (() => void)[];
  /** It has worked: where it is idle now, it was stopped. */
  private hasWorked = false;
  /** As told at its start. */
  private clockOffsetMs = 0;
  private otherZoneData: readonly string[] = [];

  /** @internal */
  constructor(
    private readonly scheduler: SchedulerService,
    events: ChronisEvents,
    private readonly clock: Clock,
    private readonly settings: HealthSettings,
  ) {
    this.probe = new HealthProbe(scheduler, clock);
    this.stops = [
      events.on('worker.started', () => {
        this.hasWorked = true;
        this.clockOffsetMs = 0;
      }),
      events.on('clock.offset', ({ offsetMs }) => void (this.clockOffsetMs = offsetMs)),
      events.on('zone-data.differs', ({ others }) => void (this.otherZoneData = others)),
      events.on('worker.lease-lost', () => void (this.otherZoneData = [])),
    ];
  }

  /**
   * Whether a restart would help, which it does where the loop stands still. Asks nothing, so a storage that is away is no reason: its processes wait, and would only come up against the same outage.
   */
  live(): LiveAnswer {
    const { state, turnedAt, pollMs } = this.scheduler.status();
    const stillMs = turnedAt === null ? 0 : this.clock.now() - turnedAt.getTime();
    const isStuck = state === 'working' && stillMs > this.settings.stuckAfterMs + 2 * pollMs;
    if (!isStuck) return { live: true, reasons: [] };
    const sentence = `The loop has not gone on since ${turnedAt!.toISOString()}.`;
    return { live: false, reasons: [problem('health.loop-stuck', sentence)] };
  }

  /** Whether it has started, does not drain, and its storage has answered within a second, not longer than a second ago. Never rejects for what it finds. */
  async ready(): Promise<ReadyAnswer> {
    const before = this.notReady();
    // It is of no use to ask.
    if (before.length > 0) return { ready: false, reasons: before };
    const health = await this.probe.ask();
    const reasons = [...this.notReady(), ...silent(health)];
    if (this.settings.strict && reasons.length === 0) {
      const { status, reasons: all } = this.judged(health);
      if (status !== 'ok') return { ready: false, reasons: all };
    }
    return { ready: reasons.length === 0, reasons };
  }

  /** How it is, and why. Never rejects for what it finds. */
  async health(): Promise<HealthAnswer> {
    return this.judged(await this.probe.ask());
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const stop of this.stops) stop();
  }

  private judged(health: SchedulerHealth): HealthAnswer {
    const { running, lease, storage } = health;
    const { state, since } = this.scheduler.status();
    const problems: FoundReason[] = health.reasons.filter(({ severity }) => severity === 'problem');
    const warnings: FoundReason[] = [
      ...this.notReady().map((reason): FoundReason => ({ ...reason, severity: 'warning' })),
      ...health.reasons.filter(({ severity }) => severity === 'warning'),
      ...this.differences(),
    ];
    const word = warnings.length > 0 ? 'degraded' : 'ok';
    const status = !storage.answers ? 'unknown' : problems.length > 0 ? 'failing' : word;
    return { status, reasons: [...problems, ...warnings], state, since, running, lease, storage };
  }

  /** By what the process knows itself. */
  private notReady(): FoundReason[] {
    const { state, since } = this.scheduler.status();
    switch (state) {
      case 'working':
        return [];
      case 'starting':
        return [problem('health.starting', 'This process has not started yet.')];
      case 'draining':
        return [problem('health.draining', `This process stops since ${since.toISOString()}.`)];
      case 'idle':
        if (!this.hasWorked) return [];
        return [problem('health.stopped', `This process was stopped at ${since.toISOString()}.`)];
    }
  }

  private differences(): FoundReason[] {
    const found: FoundReason[] = [];
    if (this.clockOffsetMs !== 0) {
      const by = Math.round(this.clockOffsetMs / 100) / 10;
      const sentence = `The clock of this machine differed from that of the storage by ${by} s when the process started.`;
      found.push({ code: 'doctor.clock', severity: 'warning', sentence });
    }
    if (this.otherZoneData.length > 0) {
      const sentence = `Other processes had other versions of the time zone data when this one started: ${this.otherZoneData.join(', ')}.`;
      found.push({ code: 'doctor.zone-data', severity: 'warning', sentence });
    }
    return found;
  }
}

function problem(code: FoundReason['code'], sentence: string): FoundReason {
  return { code, severity: 'problem', sentence };
}

function silent({ reasons }: SchedulerHealth): FoundReason[] {
  return reasons.filter(({ code }) => code === 'health.storage-silent');
}
