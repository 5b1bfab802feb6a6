import type { ServerResponse } from 'node:http';

export const streamType = 'text/event-stream; charset=utf-8';
/** A client that is slower than this, in bytes that wait for it, is let go: it comes back, and reads anew. */
const mostWaiting = 1_048_576;

/** One client that looks, by server-sent events over a response of its own. */
export class LiveStream {
  private isOpen = true;

  constructor(
    private readonly response: ServerResponse,
    /** Of all that the stream is let in for; null: all tenants. */
    readonly tenant: string | null,
    onEnd: (stream: LiveStream) => void,
  ) {
    response.on('close', () => {
      this.isOpen = false;
      onEnd(this);
    });
  }

  begin(headers: Readonly<Record<string, unknown>>): void {
    this.response.writeHead(200, {
      ...(headers as Record<string, string>),
      'Content-Type': streamType,
      'Cache-Control': 'no-store, no-transform',
      'X-Content-Type-Options': 'nosniff',
      // Proxies that gather what they pass on would hold it back.
      'X-Accel-Buffering': 'no',
    });
    this.write('retry: 1000\n\n');
  }

  /** Data is JSON, so it is one line. */
  tell(event: string, data: unknown): void {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Shows proxies, and this side, that somebody is there. */
  beat(): void {
    this.write(': beat\n\n');
  }

  end(): void {
    if (this.isOpen) this.response.end();
  }

  private write(text: string): void {
    if (!this.isOpen) return;
    if (this.response.writableLength > mostWaiting) this.response.destroy();
    else this.response.write(text);
  }
}
