import type { Clock } from '../../ports/clock.js';
import { byHand, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

const probes = 5;
/** As much as is worth a word: leases and due times go by the clock of the server. */
const mostOffsetMs = 1_000;

export const clockCheck: Check = {
  name: 'clock',
  look: async ({ session, settings }: Ground) => {
    const read = async (): Promise<number> => {
      const text = `select (extract(epoch from clock_timestamp()) * 1000)::numeric as at`;
      return (await session.row<{ at: number }>(text)).at;
    };
    return clockFindings(await measureOffset(read, settings.clock));
  },
};

export interface Offset {
  /** By how much the server is ahead; below 0: behind. */
  offsetMs: number;
  /** How exact that is. */
  withinMs: number;
}

/** The best of some questions: the shortest way to the server and back says most. */
async function measureOffset(read: () => Promise<number>, clock: Clock): Promise<Offset> {
  let best: Offset = { offsetMs: 0, withinMs: Infinity };
  for (let probe = 0; probe < probes; probe++) {
    const sentAt = clock.monotonic();
    const sent = clock.now();
    const at = await read();
    const withinMs = (clock.monotonic() - sentAt) / 2;
    if (withinMs < best.withinMs) best = { offsetMs: at - sent - withinMs, withinMs };
  }
  return best;
}

export function clockFindings({ offsetMs, withinMs }: Offset): Finding[] {
  if (Math.abs(offsetMs) - withinMs <= mostOffsetMs) return [];
  const seconds = Math.abs(offsetMs / 1_000).toFixed(1);
  return [
    {
      code: 'doctor.clock',
      severity: 'warning',
      sentence: `The clock of the server is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} that of this machine. Jobs go by the server's, what applications read and log by their own.`,
      evidence: { offsetMs: Math.round(offsetMs), withinMs: Math.round(withinMs) },
      repair: byHand('Set both by NTP (timedatectl set-ntp true), first the one that is wrong.'),
    },
  ];
}

interface Zones {
  noted: string | null;
  carried: string[];
}

const zonesSql = (meta: string, worker: string): string => `
select (select value from ${meta} where key = 'zone_data') as noted,
  (select coalesce(json_agg(distinct w.zone_data), '[]') from ${worker} w where w.lease_until > now() and w.released_at is null) as carried`;

export const zoneCheck: Check = {
  name: 'zone data',
  look: async ({ session, t }) => zoneFindings(await session.row<Zones>(zonesSql(t.meta, t.worker))),
};

/** Of those that work: this process may be on another machine. */
export function zoneFindings({ noted, carried }: Zones): Finding[] {
  const versions = [...new Set(carried)].toSorted();
  const newest = [noted ?? '', ...versions].toSorted().at(-1)!;
  const older = versions.filter((version) => version < newest);
  if (older.length === 0) return [];
  return [
    {
      code: 'doctor.zone-data',
      severity: 'warning',
      sentence: `Workers have the time zone data ${older.join(', ')}, others ${newest}: where a zone has changed since, the same schedule falls on different instants.`,
      evidence: { noted, workers: versions },
      repair: byHand(
        'Bring all processes to the same version of Node, or of its ICU data: node -p process.versions.tz',
      ),
    },
  ];
}
