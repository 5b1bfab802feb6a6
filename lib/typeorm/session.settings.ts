/**
 * What the sessions of Chronis have, whatever the role, the database or the server says: what its statements depend on, and how soon the server notices
 * that a process is gone, whose locks would stay otherwise. Some poolers refuse it; then the self-test looks what is there instead.
 *
 * Not `default_transaction_read_only`: an operator fences a server by it.
 */
const settings: Readonly<Record<string, string>> = {
  default_transaction_isolation: 'read committed',
  lock_timeout: '0',
  // To compile the large statements of the loop takes longer than to execute them: half a second instead of 20 ms.
  jit: 'off',
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
};

/** As the startup parameter `options` takes them, after those that are there already. */
export function withSessionSettings(given: string | undefined): string {
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`);
  return [...(given ? [given] : []), ...ours].join(' ');
}
