import type { FieldSpec } from './cron.field.js';

/** The n-th weekday of a month; `nth` 0 means the last one. Weekdays count from 0 = Sunday. */
export interface NthWeekday {
  weekday: number;
  nth: number;
}

/** What one field of a cron says, as sets. */
export class FieldSet {
  /** 1 at each value that matches. Weekdays count from 0 = Sunday here, whatever they did in the text. */
  readonly values: Uint8Array;
  /** The text is `*` or `?`: the field restricts nothing. */
  unrestricted = false;
  /** The text holds a `*`, `?` or `/`, which makes a time interval-like. */
  open = false;
  /** The text holds a step. */
  stepped = false;
  /** A weekday was given by a number. */
  numbered = false;
  /** `L-n` as bit n; bit 0 is `L`. */
  fromLast = 0;
  /** `nW` as bit n. */
  nearest = 0;
  /** `LW` */
  lastWorkday = false;
  readonly nth: NthWeekday[] = [];

  constructor(readonly spec: FieldSpec) {
    this.values = new Uint8Array(spec.kind === 'weekday' ? 7 : spec.max + 1);
  }

  addRange(from: number, to: number, step: number): void {
    for (let value = from; value <= to; value += step) this.values[this.place(value)] = 1;
  }

  /** Where a value of the text stands in `values`. */
  place(value: number): number {
    if (this.spec.kind !== 'weekday') return value;
    return this.spec.name === 'dayOfWeek' ? (value + 1) % 7 : value % 7;
  }

  /** Whether the plain values are all there are. */
  get full(): boolean {
    for (let value = this.spec.min; value <= this.spec.max; value++)
      if (!this.values[this.place(value)]) return false;
    return true;
  }

  list(): number[] {
    const found: number[] = [];
    for (let value = 0; value < this.values.length; value++) if (this.values[value]) found.push(value);
    return found;
  }
}

const implied = new Map<FieldSpec, [every: FieldSet, minimum: FieldSet]>();

/** A field that was not given, or is a star: every value, or only the minimum. Shared, since nothing is added to it. */
export function impliedField(spec: FieldSpec, minimum = false): FieldSet {
  let sets = implied.get(spec);
  if (!sets) implied.set(spec, (sets = [makeImplied(spec, false), makeImplied(spec, true)]));
  return sets[minimum ? 1 : 0];
}

function makeImplied(spec: FieldSpec, minimum: boolean): FieldSet {
  const set = new FieldSet(spec);
  set.addRange(spec.min, minimum ? spec.min : spec.max, 1);
  set.unrestricted = !minimum;
  set.open = !minimum;
  return set;
}
