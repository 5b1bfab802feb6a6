import pg from 'pg';
import { pause } from './pause.js';

const askEveryMs = 100;
/** An answer that takes so long is worth a note. */
const lateMs = 250;
/** After so long it is asked again, on another connection. */
const patienceMs = 1_000;

/** Asks the server again and again, on a connection of its own, and tells when it had no answer, for whatever reason: the network, the server, or a machine that has other things to do. Never ends. */
export async function listenForSilence(
  url: string,
  tell: (from: number, until: number) => void,
): Promise<never> {
  let client: pg.Client | null = null;
  for (;;) {
    const from = Date.now();
    for (let answered = false; !answered;) {
      try {
        client ??= await connected(url);
        await client.query('select 1');
        answered = true;
      } catch {
        // What was swallowed has no end.
        client?.end().catch(() => undefined);
        client = null;
        await pause(askEveryMs);
      }
    }
    const until = Date.now();
    if (until - from >= lateMs) tell(from, until);
    await pause(askEveryMs);
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
