import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network between instances and a database that is far away: every byte takes its time, each way, and none overtakes another. */
export class SlowNetwork {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
    private readonly delayMs: number,
  ) {
    server.on('connection', (socket) => this.join(socket));
  }

  static async to(targetPort: number, delayMs: number): Promise<SlowNetwork> {
    const server = createServer({ noDelay: true }).listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
    await once(server, 'listening');
    return new SlowNetwork(server, targetPort, delayMs);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private join(client: Socket): void {
    const server = connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true });
    this.pass(client, server);
    this.pass(server, client);
  }

  private pass(from: Socket, to: Socket): void {
    this.sockets.add(from);
    // Timers of equal length end in the order in which they began.
    from.on('data', (bytes) => void setTimeout(() => to.write(bytes), this.delayMs));
    from.on('end', () => void setTimeout(() => to.end(), this.delayMs));
    from.on('error', () => to.destroy());
    from.on('close', () => this.sockets.delete(from));
  }
}
