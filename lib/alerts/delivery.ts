import { AsyncResource } from 'node:async_hooks';
import type { CancelTimer, Clock } from '../index.js';
import { DeliveryError } from './alert.js';

const most = 100;
const timeoutMs = 10_000;
const pausesMs = [1_000, 5_000, 15_000];
const longestPauseMs = 60_000;

/** What a delivery needs. */
export interface DeliveryParts<T> {
  clock: Clock;
  send: (item: T, signal: AbortSignal) => Promise<void>;
  /** Something is lost: a sentence without secrets. */
  onLost: (sentence: string) => void;
}

/** One thing after the other to one receiver, beside all else: bounded, each try with an end, and tried again. */
export class Delivery<T> {
  private readonly waiting: T[] = [];
  private working: Promise<void> | null = null;
  private dropped = 0;
  private isClosing = false;
  private stopWaiting: (() => void) | null = null;
  private stopTry: ((reason: Error) => void) | null = null;
  // Whoever has caused it, it is no part of their request or trace.
  private readonly scope = new AsyncResource('ChronisDelivery');

  constructor(private readonly parts: DeliveryParts<T>) {}

  /** Never throws, and never waits. */
  push(item: T): void {
    if (this.isClosing) return;
    if (this.waiting.length === most) {
      this.waiting.shift();
      this.dropped++;
    }
    this.waiting.push(item);
    this.working ??= this.scope.runInAsyncScope(() => this.work());
  }

  /** Each that waits is tried once more, for so long in all; then what is left is lost. */
  async close(patienceMs: number): Promise<void> {
    this.isClosing = true;
    this.stopWaiting?.();
    if (this.working === null) return;
    const cancel = this.parts.clock.setTimer(patienceMs, () => {
      this.dropped += this.waiting.splice(0).length;
      this.stopTry?.(new DeliveryError('this process has ended', false));
    });
    await this.working;
    cancel();
  }

  private async work(): Promise<void> {
    // Nobody who emits an event waits for the first part of a request.
    await Promise.resolve();
    for (let item = this.waiting.shift(); item !== undefined; item = this.waiting.shift()) {
      await this.deliver(item);
      if (this.dropped > 0) this.parts.onLost(`${this.dropped} more were dropped, as too many wait.`);
      this.dropped = 0;
    }
    this.working = null;
  }

  private async deliver(item: T): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.tried(item);
      } catch (error) {
        const known = error instanceof DeliveryError ? error : null;
        const pause = pausesMs[tries];
        if (pause === undefined || this.isClosing || known?.again === false)
          return this.parts.onLost(messageOf(error));
        await this.wait(Math.min(Math.max(pause, known?.retryAfterMs ?? 0), longestPauseMs));
      }
    }
  }

  private async tried(item: T): Promise<void> {
    const ending = new AbortController();
    let cancel: CancelTimer = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      this.stopTry = (reason) => {
        ending.abort(reason);
        reject(reason);
      };
      cancel = this.parts.clock.setTimer(timeoutMs, () =>
        this.stopTry!(new DeliveryError(`no answer within ${timeoutMs / 1_000} s`)),
      );
    });
    try {
      await Promise.race([this.parts.send(item, ending.signal), ended]);
    } finally {
      cancel();
      this.stopTry = null;
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.parts.clock.setTimer(ms, () => this.stopWaiting?.());
      this.stopWaiting = () => {
        cancel();
        this.stopWaiting = null;
        resolve();
      };
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
