import type { FieldSpec } from './cron.field.js';
import type { FieldSet } from './field.set.js';

/** What the tables say when nothing follows, or nothing precedes. */
export const noValue = 255;

const full = new Map<FieldSpec, Steps>();

/** For each value of a field the next that matches, itself included, and the previous that matches, itself left out. */
export class Steps {
  readonly next: Uint8Array;
  readonly previous: Uint8Array;
  readonly first: number;
  readonly last: number;
  /** How many values match. */
  readonly count: number;

  /** Most fields are stars, which share their tables. */
  static of(set: FieldSet): Steps {
    if (!set.unrestricted) return new Steps(set);
    let steps = full.get(set.spec);
    if (!steps) full.set(set.spec, (steps = new Steps(set)));
    return steps;
  }

  private constructor({ spec: { max }, values }: FieldSet) {
    this.next = new Uint8Array(max + 2);
    this.previous = new Uint8Array(max + 2);
    this.next[max + 1] = noValue;
    this.previous[0] = noValue;
    for (let value = max; value >= 0; value--) {
      this.next[value] = values[value] ? value : this.next[value + 1]!;
    }
    for (let value = 0; value <= max; value++) {
      this.previous[value + 1] = values[value] ? value : this.previous[value]!;
    }
    this.first = this.next[0]!;
    this.last = this.previous[max + 1]!;
    this.count = values.reduce((sum, value) => sum + value, 0);
  }
}
