import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { databaseUrl } from './schema.js';

/** Passes on to the test run's PostgreSQL, but refuses connections that ask for one of these settings, as PgBouncer does. */
export async function refusingPooler(
  settings: readonly string[],
  url = databaseUrl(),
  port = 0,
): Promise<{ url: string; refused: string[]; close(): void }> {
  const refused: string[] = [];
  const own = new URL(url);
  const { hostname, port: target } = own;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (startup) => {
      const setting = settings.find((name) => startup.includes(`\0${name}\0`));
      if (setting !== undefined) {
        refused.push(setting);
        const fields = `SFATAL\0C08P01\0Munsupported startup parameter: ${setting}\0\0`;
        const length = Buffer.alloc(4);
        length.writeInt32BE(4 + Buffer.byteLength(fields));
        socket.end(Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)]));
        return;
      }
      const upstream = connectTo(Number(target), hostname).on('error', () => socket.destroy());
      upstream.write(startup);
      socket.pipe(upstream).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: own.href, refused, close: () => server.close() };
}
