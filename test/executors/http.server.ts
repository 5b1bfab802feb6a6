import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';

/** A request as it came. */
export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real server of this machine, and what it was asked. */
export class HttpServer {
  readonly received: Received[] = [];

  private constructor(
    private readonly server: Server | TcpServer,
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(
    answer: (request: Received, response: ServerResponse) => void,
    make: (listener: RequestListener) => Server = createServer,
  ): Promise<HttpServer> {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      response.on('error', () => {});
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const received = { method, url, headers, body: Buffer.concat(chunks).toString() };
        started.received.push(received);
        answer(received, response);
      });
    };
    const started = await HttpServer.listening(make(listener));
    return started;
  }

  /** One that speaks as it likes. */
  static raw(connected: (socket: Socket) => void): Promise<HttpServer> {
    return HttpServer.listening(createTcpServer(connected));
  }

  private static async listening(server: Server | TcpServer): Promise<HttpServer> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      sockets.add(socket);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new HttpServer(server, sockets);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(path = '/', host = '127.0.0.1', protocol = 'http'): string {
    return `${protocol}://${host}:${this.port}${path}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
