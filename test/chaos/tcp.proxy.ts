import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProxiedConnection } from './proxied.connection.js';

/** The network between one worker and the database. */
export class TcpProxy {
  private readonly connections = new Set<ProxiedConnection>();
  private state: 'open' | 'silent' | 'swallowing' | 'refusing' = 'open';
  private bytesPerSecond = Infinity;
  private onCommit: (() => void) | null = null;

  private constructor(
    private readonly server: Server,
    private targetPort: number,
  ) {
    server.on('connection', (socket) => this.join(socket));
  }

  static async to(targetPort: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Where new connections lead from now on, as a name or a virtual address does after a failover. */
  pointTo(targetPort: number): void {
    this.targetPort = targetPort;
  }

  /** Connections break, and new ones are refused. */
  cut(): void {
    this.state = 'refusing';
    for (const connection of this.connections) connection.destroy();
  }

  /** Nothing gets through and nobody is told; what was sent arrives late, after `heal`. */
  silence(): void {
    this.state = 'silent';
    for (const connection of this.connections) connection.pause();
  }

  /** All that is sent over the present connections is lost, both ways and for good, and nobody is told. New ones are fine. */
  swallow(): void {
    for (const connection of this.connections) connection.swallow();
  }

  /** New connections are opened as well, but nothing comes through. */
  swallowAll(): void {
    this.state = 'swallowing';
    this.swallow();
  }

  /** The present connections are silent for good; what was sent over them reaches the server after so many ms, also if its sender has given up by then. */
  delay(ms: number): void {
    for (const connection of this.connections) connection.delay(ms);
  }

  /** Each connection carries no more than this either way. */
  limit(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** The next COMMIT of a transaction does not get through, nor does anything after it on its connection; `act` is called then. */
  holdNextCommit(act: () => void): void {
    this.onCommit = act;
  }

  heal(): void {
    this.state = 'open';
    this.bytesPerSecond = Infinity;
    this.onCommit = null;
    for (const connection of this.connections) connection.resume();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(inner: Socket): void {
    if (this.state === 'refusing') return void inner.destroy();
    const connection = new ProxiedConnection(inner, connect(this.targetPort, '127.0.0.1'), {
      bytesPerSecond: () => this.bytesPerSecond,
      commits: (bytes) => this.holds(bytes),
      gone: () => this.connections.delete(connection),
    });
    this.connections.add(connection);
    if (this.state === 'swallowing') connection.swallow();
    if (this.state !== 'silent') connection.resume();
  }

  private holds(bytes: Buffer): boolean {
    const act = this.onCommit;
    if (act === null || !bytes.includes('COMMIT\0')) return false;
    this.onCommit = null;
    act();
    return true;
  }
}
