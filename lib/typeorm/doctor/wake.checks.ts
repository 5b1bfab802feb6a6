import { randomBytes } from 'node:crypto';
import { elsewhere, placeOf, type Asked, type ServerPlace } from '../server.place.js';
import { messageOf } from '../sql.errors.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import type { DoctorSession } from './doctor.session.js';
import { maskedText } from './found.text.js';

/** A notification takes no longer, over however many machines. */
const notifyMs = 2_000;
const halfFull = 0.5;
/** From here on none is sent, see `roomInQueue`. */
const full = 0.9;

/** Whether notifications of one process reach another one. */
export const wakeChecks: readonly Check[] = [
  {
    name: 'notify',
    look: async ({ session }) => queueFindings(await session.row<Queue>(queueSql)),
  },
  { name: 'listen', look: listenFindings },
];

interface Queue {
  usage: number;
  blocker: number | null;
}

const queueSql = `
select pg_notification_queue_usage()::numeric as usage, (
  select pid from pg_stat_activity where state like 'idle in transaction%' and backend_type = 'client backend' order by xact_start limit 1
) as blocker`;

export function queueFindings({ usage, blocker }: Queue): Finding[] {
  if (usage < halfFull) return [];
  const share = `${Math.round(usage * 100)} %`;
  return [
    {
      code: 'doctor.notify-queue',
      severity: usage < full ? 'warning' : 'error',
      sentence: `The queue of notifications of the server is full by ${share}, ${usage < full ? 'and nobody is told any more when it is full' : 'so nobody is told any more of what is due'}: a session that has listened and is idle in a transaction keeps it from being emptied.`,
      evidence: { usage, idleInTransaction: blocker },
      repair:
        blocker === null
          ? byHand('End the session that PostgreSQL names in its log: select pg_terminate_backend(pid).')
          : bySql(`select pg_terminate_backend(${blocker});`),
    },
  ];
}

const consequence = 'Other processes hear of new work by polling only, some seconds late.';

const askedBy = (session: DoctorSession): Asked => ({
  address: session.place,
  rows: (text) => session.rows(text),
});

function leadsElsewhere(
  { where, fix }: NonNullable<ReturnType<typeof elsewhere>>,
  listening: ServerPlace,
  tables: ServerPlace,
): Finding {
  return {
    code: 'doctor.listen',
    severity: 'warning',
    sentence: `The connection that listens ${where}: no notification arrives. ${consequence}`,
    evidence: {
      listensAt: listening.address,
      listensIn: listening.database,
      tablesAt: tables.address,
      tablesIn: tables.database,
    },
    repair: byHand(`Give typeOrmStorage() a ${fix}; or notify: false, where polling is soon enough.`),
  };
}

async function listenFindings({ session, another, settings }: Ground): Promise<Finding[]> {
  if (settings.tables.channel === null) return [];
  const { standby, usage } = await session.row<{ standby: boolean; usage: number }>(
    'select pg_is_in_recovery() as standby, pg_notification_queue_usage()::numeric as usage',
  );
  // Those have findings of their own.
  if (standby || usage >= full) return [];
  const channel = `chronis_doctor_${randomBytes(8).toString('hex')}`;
  let isPooled = await session.isPooled();
  let why: string | null = null;
  try {
    const listener = await another();
    try {
      const [listening, tables] = [await placeOf(askedBy(listener)), await placeOf(askedBy(session))];
      const way = elsewhere(listening, tables);
      if (way !== null) return [leadsElsewhere(way, listening, tables)];
      isPooled ||= await listener.isPooled();
      const notify = (): Promise<unknown> => session.rows(`select pg_notify('${channel}', '')::text`);
      if (await listener.hears(channel, notify, notifyMs)) return [];
    } finally {
      await listener.end();
    }
  } catch (error) {
    why = maskedText(messageOf(error));
  }
  return [
    {
      code: 'doctor.listen',
      severity: 'warning',
      sentence: `${
        why === null
          ? `A notification does not arrive within ${notifyMs} ms${isPooled ? ': a pooler in transaction mode is between' : ''}`
          : `LISTEN is not possible: ${why}`
      }. ${consequence}`,
      evidence: { pooled: isPooled, waitedMs: notifyMs, error: why },
      repair: byHand(
        'Give the address of the server itself as listenUrl of typeOrmStorage(); or notify: false, where polling is soon enough.',
      ),
    },
  ];
}
