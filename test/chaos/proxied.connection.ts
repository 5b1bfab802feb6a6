import type { Socket } from 'node:net';

/** What a connection asks of the network that it is part of. */
export interface Network {
  bytesPerSecond(): number;
  /** Whether these bytes of the client end a transaction, and are to be kept from the server. */
  commits(bytes: Buffer): boolean;
  gone(): void;
}

/** One connection from a worker (`inner`) to the server (`outer`). Written by hand, since pipe() would resume what is to be silent. */
export class ProxiedConnection {
  private lost = false;
  /** What the client has sent, to be delivered late; null: it is delivered at once. */
  private kept: Buffer[] | null = null;

  constructor(
    private readonly inner: Socket,
    private readonly outer: Socket,
    private readonly network: Network,
  ) {
    this.pass(inner, outer);
    this.pass(outer, inner);
  }

  pause(): void {
    this.inner.pause();
    this.outer.pause();
  }

  resume(): void {
    this.inner.resume();
    this.outer.resume();
  }

  destroy(): void {
    this.inner.destroy();
    this.outer.destroy();
  }

  swallow(): void {
    this.lost = true;
  }

  delay(ms: number): void {
    const kept = (this.kept ??= []);
    setTimeout(() => {
      for (const bytes of kept) this.outer.write(bytes);
      // The server answers to nobody.
      this.outer.resume();
      this.outer.end();
    }, ms).unref();
  }

  private pass(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (from === this.inner && this.network.commits(bytes)) this.lost = true;
      if (this.lost) return;
      if (this.kept !== null) {
        if (from === this.inner) this.kept.push(bytes);
        return;
      }
      to.write(bytes);
      const restsMs = (bytes.length / this.network.bytesPerSecond()) * 1_000;
      if (restsMs < 1) return;
      from.pause();
      setTimeout(() => from.resume(), restsMs).unref();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      const nobodyIsTold = this.lost || this.kept !== null;
      if (nobodyIsTold && from === this.inner) return;
      this.network.gone();
      to.destroy();
    });
  }
}
