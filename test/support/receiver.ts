import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What it answers to a request, the first being 0; `hang`: nothing. */
type Answer = (nth: number) => number | { status: number; headers: Record<string, string> } | 'hang';

/** A server of this machine that keeps what it gets. */
export class Receiver {
  readonly received: Received[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async listen(answer: Answer = () => 200): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => void receiver.take(request, response, answer));
    return receiver;
  }

  private async take(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const body = (await request.toArray()).join('');
    const what = answer(this.received.length);
    this.received.push({ path: request.url!, headers: request.headers, body });
    for (const look of this.waiting) look();
    if (what === 'hang') return;
    const { status, headers } = typeof what === 'number' ? { status: what, headers: {} } : what;
    response.writeHead(status, headers).end();
  }

  get json(): any[] {
    return this.received.map(({ body }) => JSON.parse(body) as unknown);
  }

  /** Resolves when it has got so many in all. */
  async until(count: number): Promise<void> {
    while (this.received.length < count)
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.waiting.delete(look);
          resolve();
        };
        this.waiting.add(look);
      });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
