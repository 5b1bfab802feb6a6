import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Passes requests on to another server, with another path. */
export class HttpProxy {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async listen(target: string, pathOf: (path: string) => string): Promise<HttpProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((incoming, answer) => {
      const { method, headers, url = '' } = incoming;
      const passed = request(
        { hostname, port, path: pathOf(url), method, headers, agent: false },
        (response) => {
          answer.writeHead(response.statusCode!, response.headers);
          response.pipe(answer);
        },
      );
      passed.on('error', () => answer.destroy());
      answer.on('close', () => passed.destroy());
      incoming.pipe(passed);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HttpProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
