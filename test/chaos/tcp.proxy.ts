import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The network between one worker and the database. */
export class TcpProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private state: 'open' | 'silent' | 'swallowing' | 'refusing' = 'open';
  /** What is sent on these never arrives, and neither end is told of the other's. */
  private readonly lost = new Set<readonly [Socket, Socket]>();

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
    for (const [inner, outer] of this.pairs) {
      inner.destroy();
      outer.destroy();
    }
  }

  /** Nothing gets through and nobody is told; what was sent arrives late, after `heal`. */
  silence(): void {
    this.state = 'silent';
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
  }

  heal(): void {
    this.state = 'open';
    for (const pair of this.pairs) for (const socket of pair) socket.resume();
  }

  /** What the connections of now send is lost for good, as when a NAT has forgotten them; new ones work. */
  swallow(): void {
    for (const pair of this.pairs) this.lost.add(pair);
  }

  /** New connections are opened as well, but nothing comes through. */
  swallowAll(): void {
    this.state = 'swallowing';
    this.swallow();
  }

  close(): void {
    this.cut();
    for (const pair of this.lost) for (const socket of pair) socket.destroy();
    this.server.close();
  }

  private join(inner: Socket): void {
    if (this.state === 'refusing') return void inner.destroy();
    const outer = connect(this.targetPort, '127.0.0.1');
    const pair = [inner, outer] as const;
    this.pairs.add(pair);
    if (this.state === 'swallowing') this.lost.add(pair);
    // Written by hand, since pipe() would resume what is to be silent.
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (chunk) => void (this.lost.has(pair) || to.write(chunk)));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.pairs.delete(pair);
        if (!this.lost.has(pair)) to.destroy();
      });
      if (this.state === 'silent') from.pause();
      else from.resume();
    };
    pass(inner, outer);
    pass(outer, inner);
  }
}
