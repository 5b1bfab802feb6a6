/** A change of a zone's offset; all in minutes. */
export interface Change {
  at: number;
  before: number;
  after: number;
}

/** The offset of a zone in minutes, from Intl itself: nothing of lib/triggers takes part. */
export class IntlZone {
  private readonly format: Intl.DateTimeFormat;

  constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  offsetMinutes(epochMinute: number): number {
    const text = this.format.format(epochMinute * 60_000);
    const found = /GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(text);
    if (!found) throw new Error(`No offset in ${text}`);
    if (found[1] === undefined) return 0;
    return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]));
  }

  /** The minutes at which the offset changes, found by looking at every day and halving. */
  changes(fromYear: number, toYear: number): Change[] {
    const found: Change[] = [];
    const end = Date.UTC(toYear + 1, 0, 1) / 60_000;
    let at = Date.UTC(fromYear, 0, 1) / 60_000;
    let before = this.offsetMinutes(at);
    for (let day = at + 1440; day <= end; day += 1440) {
      const after = this.offsetMinutes(day);
      if (after !== before) {
        let [low, high] = [at, day];
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2);
          if (this.offsetMinutes(middle) === before) low = middle;
          else high = middle;
        }
        found.push({ at: high, before, after });
      }
      before = after;
      at = day;
    }
    return found;
  }
}
