import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';
import { abbreviations, areas, commonAliases, placeNames } from './zone.names.js';

const maxAccepted = 1_000;
const accepted = new Map<string, string>([['UTC', 'UTC']]);
let knownByLowerCase: ReadonlyMap<string, string> | null = null;

/**
 * The zone itself if it is an IANA name this process has data for, with the usual capitals.
 *
 * Throws `InvalidScheduleError` (`bad-zone`), with a suggestion for near misses, for everything else: unknown names,
 * abbreviations (`EST` and `IST` mean several things), fixed offsets (`UTC+9`), and `local` or `system`, which differ
 * between replicas. @publicApi
 */
export function assertTimeZone(zone: string, field = 'timeZone'): string {
  const known = accepted.get(zone);
  if (known !== undefined) return known;
  const name = typeof zone === 'string' && zone.length <= 64 ? properName(zone) : null;
  if (name === null) {
    refuse(zone, 'bad-zone', `${field}: ${zone === '' ? '""' : shown(zone)} is not an IANA time zone.`, {
      field,
      position: typeof zone === 'string' ? 0 : null,
      hint: hintFor(zone),
    });
  }
  if (accepted.size >= maxAccepted) accepted.clear();
  accepted.set(zone, name);
  return name;
}

function properName(zone: string): string | null {
  const slash = zone.indexOf('/');
  if (slash < 0) return placeNames.find((name) => name.toLowerCase() === zone.toLowerCase()) ?? null;
  if (!areas.has(zone.slice(0, slash).toLowerCase()) || !/^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+){1,2}$/.test(zone))
    return null;
  if (!isKnown(zone)) return null;
  const lower = zone.toLowerCase();
  if (/^etc\/(?:utc|uct|gmt)/.test(lower)) return `Etc/${lower.slice(4).toUpperCase()}`;
  const listed = knownNames().get(lower);
  if (listed !== undefined) return listed;
  // An older name of a zone: kept as it was written, unless its capitals show that it was typed carelessly.
  return /(?:^|\/)[^A-Z]/.test(zone) ? canonicalName(zone) : zone;
}

function isKnown(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function canonicalName(zone: string): string {
  return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
}

function knownNames(): ReadonlyMap<string, string> {
  knownByLowerCase ??= new Map(
    [...Intl.supportedValuesOf('timeZone'), ...commonAliases, ...placeNames].map((name) => [
      name.toLowerCase(),
      name,
    ]),
  );
  return knownByLowerCase;
}

function hintFor(zone: unknown): string {
  if (typeof zone !== 'string') return 'Give a name such as "Asia/Seoul" or "UTC".';
  const name = zone.trim();
  if (/^(?:local|localtime|system|default|host)$/i.test(name)) {
    return 'The zone of the process may differ between replicas: give a name such as "Asia/Seoul" or "UTC".';
  }
  if (/^(?:utc|gmt|z)?\s*[+-]?\d/i.test(name)) {
    return 'A fixed offset knows no daylight saving: give the place, such as "Asia/Seoul", or "UTC".';
  }
  const meant = abbreviations.get(name.toUpperCase());
  if (meant !== undefined) return `An abbreviation is not one zone. Did you mean "${meant}"?`;
  const near = nearestZone(name);
  return near === null ? 'Give a name such as "Asia/Seoul" or "UTC".' : `Did you mean "${near}"?`;
}

function nearestZone(name: string): string | null {
  const city = (text: string): string =>
    text
      .slice(text.lastIndexOf('/') + 1)
      .toLowerCase()
      .replace(/[\s_-]/g, '');
  const wanted = city(name);
  const names = [...knownNames().values()];
  return names.find((known) => city(known) === wanted) ?? nearestName(name, names);
}
