import { CalendarSource } from '../triggers/calendar.source.js';
import type { CompiledTrigger } from '../triggers/compiled.trigger.js';
import { CronSource } from '../triggers/cron.source.js';
import { IntervalSource } from '../triggers/interval.source.js';
import { touchRemark } from '../triggers/preview.js';
import type { Forecast, ForecastRemark, HotMinute } from './forecast.js';

export const minuteMs = 60_000;
/** `namespace/id` of so many jobs are told. */
export const mostExamples = 5;
/** Instants that are looked at one by one. */
const mostInstants = 2_000_000;
/** Some milliseconds of work, until everything else has its turn. */
const mostPerTurn = 2_500;
const mostHot = 10;
const mostRemarks = 100;

/** What is looked at, and in which steps. */
export interface Range {
  from: number;
  until: number;
  bucketMs: number;
}

/** All jobs of one schedule that stand at the same place: computed once. */
export interface ScheduleGroup {
  compiled: CompiledTrigger;
  timeZone: string;
  /** The first of its instants in the range. */
  first: number;
  jobs: number;
  examples: string[];
}

/** Adds up what groups of jobs have due. */
export class Tally {
  atLeast = false;
  private runs = 0;
  private walked = 0;
  private readonly buckets = new Map<number, number>();
  private readonly minutes = new Map<number, { runs: number; jobs: string[] }>();
  private readonly steady: { source: CompiledTrigger; jobs: number; first: number; examples: string[] }[] =
    [];
  private readonly remarks = new Map<string, ForecastRemark>();

  private inTurn = 0;

  constructor(private readonly range: Range) {}

  async add(group: ScheduleGroup): Promise<void> {
    const { compiled, first, jobs, examples } = group;
    const { until } = this.range;
    if (
      compiled.source instanceof IntervalSource &&
      compiled.exclusions === null &&
      compiled.source.everyMs <= minuteMs
    ) {
      this.steady.push({ source: compiled, jobs, first, examples });
      await this.addSteady(compiled, first, jobs);
      return;
    }
    for (let at: number | null = first; at !== null && at < until; at = following(compiled, at)) {
      if (this.walked >= mostInstants) {
        this.atLeast = true;
        return;
      }
      this.walked++;
      await this.giveWay();
      this.count(at, jobs);
      this.heat(at, jobs, examples);
      this.remark(group, at);
    }
  }

  /** More often than once a minute: by arithmetic. */
  private async addSteady(compiled: CompiledTrigger, first: number, jobs: number): Promise<void> {
    const { from, until, bucketMs } = this.range;
    for (let at = this.bucketOf(first); at < until; at += bucketMs) {
      const begin = Math.max(at, first, from);
      const end = Math.min(at + bucketMs, until);
      const { count } = compiled.countBetween(begin - 1, end - 1, Number.MAX_SAFE_INTEGER);
      await this.giveWay();
      if (count > 0) this.count(begin, count * jobs);
    }
  }

  private async giveWay(): Promise<void> {
    if (++this.inTurn < mostPerTurn) return;
    this.inTurn = 0;
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  private count(at: number, runs: number): void {
    const bucket = this.bucketOf(at);
    this.runs += runs;
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + runs);
  }

  private heat(at: number, runs: number, examples: readonly string[]): void {
    const minute = Math.floor(at / minuteMs) * minuteMs;
    const known = this.minutes.get(minute) ?? { runs: 0, jobs: [] };
    known.runs += runs;
    for (const example of examples) {
      if (known.jobs.length < mostExamples && !known.jobs.includes(example)) known.jobs.push(example);
    }
    this.minutes.set(minute, known);
  }

  private remark({ compiled: { source }, timeZone, jobs, examples }: ScheduleGroup, at: number): void {
    const touch =
      source instanceof CronSource || source instanceof CalendarSource ? source.touchOf(at) : null;
    if (touch === null) return;
    const remark = touchRemark(touch, at, timeZone);
    const key = `${at}\n${remark.text}`;
    const known = this.remarks.get(key);
    if (known !== undefined) known.jobs += jobs;
    else if (this.remarks.size < mostRemarks) {
      this.remarks.set(key, { ...remark, at: new Date(at), jobs, example: examples[0]! });
    }
  }

  private bucketOf(at: number): number {
    const { from, bucketMs } = this.range;
    const start = Math.floor(from / minuteMs) * minuteMs;
    return start + Math.floor((at - start) / bucketMs) * bucketMs;
  }

  result(): Omit<Forecast, 'jobs' | 'held'> {
    const { from, until, bucketMs } = this.range;
    const byTime = (a: { at: Date }, b: { at: Date }): number => a.at.getTime() - b.at.getTime();
    const buckets = [...this.buckets].map(([at, runs]) => ({ at: new Date(at), runs })).toSorted(byTime);
    const remarks = [...this.remarks.values()].toSorted(byTime);
    const { runs, atLeast } = this;
    return {
      from: new Date(from),
      until: new Date(until),
      bucketMs,
      runs,
      atLeast,
      buckets,
      hotMinutes: this.hottest(),
      remarks,
    };
  }

  /** What is due in every minute makes none hotter than another, so the others decide. */
  private hottest(): HotMinute[] {
    const first = Math.floor(this.range.from / minuteMs) * minuteMs;
    const minutes =
      this.minutes.size === 0 ? [[first, { runs: 0, jobs: [] as string[] }] as const] : [...this.minutes];
    return minutes
      .toSorted(([a, x], [b, y]) => y.runs - x.runs || a - b)
      .slice(0, mostHot)
      .map(([minute, { runs, jobs }]) => {
        const hot: HotMinute = { at: new Date(minute), runs, jobs: [...jobs] };
        for (const { source, jobs: many, first: begin, examples } of this.steady) {
          const end = Math.min(minute + minuteMs, this.range.until) - 1;
          const { count } = source.countBetween(Math.max(minute, begin, this.range.from) - 1, end, minuteMs);
          hot.runs += count * many;
          if (count > 0 && hot.jobs.length < mostExamples) hot.jobs.push(examples[0]!);
        }
        return hot;
      })
      .filter(({ runs }) => runs > 1);
  }
}

/** Runs of a fixed delay are taken to last no time. */
function following(compiled: CompiledTrigger, at: number): number | null {
  return compiled.fixedDelayMs === null ? compiled.next(at) : at + compiled.fixedDelayMs;
}
