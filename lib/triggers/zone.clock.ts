/** What the clock on the wall of a zone shows, from the zone data of Node. luxon reads the same data in eight times the time. */
export class ZoneClock {
  private readonly format: Intl.DateTimeFormat | null;

  /** `name` must have passed `assertTimeZone`. */
  constructor(name: string) {
    // Without a field of its own the format would show a date as well, and take longer.
    this.format = isUtc(name)
      ? null
      : new Intl.DateTimeFormat('en-US', { timeZone: name, second: 'numeric', timeZoneName: 'longOffset' });
  }

  /** Whether the offset is always zero. */
  get isUtc(): boolean {
    return this.format === null;
  }

  /** Seconds to add to an instant, in epoch seconds, for the wall time. */
  offsetAt(second: number): number {
    if (this.format === null) return 0;
    const shown = this.format.format(second * 1000);
    const at = shown.indexOf('GMT') + 3;
    if (at < 3) throw new Error(`Intl shows ${shown} for an instant`);
    if (at === shown.length) return 0;
    const offset = twoDigits(shown, at + 1) * 3600 + twoDigits(shown, at + 4) * 60 + twoDigits(shown, at + 7);
    return shown[at] === '-' ? -offset : offset;
  }
}

/** Local mean times have seconds, the others end before them. */
function twoDigits(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528 : 0;
}

function isUtc(name: string): boolean {
  return /^(?:Etc\/)?(?:UTC|GMT|UCT|Zulu|Universal|Greenwich)$/i.test(name);
}
