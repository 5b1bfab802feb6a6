// Streams that a function returns: what flows through them is its work, which goes on after it has returned.

type Loose = Partial<Record<PropertyKey, unknown>>;

/** What is used of a stream of Node. */
interface NodeStream {
  readable?: boolean;
  readableEnded?: boolean;
  readableFlowing?: boolean | null;
  readableAborted?: boolean;
  writable?: boolean;
  writableEnded?: boolean;
  writableFinished?: boolean;
  destroyed?: boolean;
  errored?: unknown;
  on(event: string, listener: (error: unknown) => void): unknown;
  listenerCount(event: string): number;
  resume?(): void;
  destroy?(): void;
}

/** The stream of Node; null: it is none. */
export function streamOf(value: Loose): NodeStream | null {
  const isStream = [value.pipe, value.on, value.listenerCount].every((each) => typeof each === 'function');
  return isStream ? (value as unknown as NodeStream) : null;
}

/** Resolves when it has ended, what nobody reads is read, and at once for one that others write to at their time, such as a log; rejects with its error, and where it was closed before its end. When the signal fires it is destroyed, and this rejects with the reason. */
export function endOf(stream: NodeStream, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const close = (): void => {
      const isWhole = stream.readableAborted !== true && (stream.readableEnded !== false || !stream.readable);
      if (stream.errored) reject(stream.errored);
      else if (isWhole && stream.writableFinished !== false) resolve();
      else reject(new Error('The stream that the handler returned was closed before its end.'));
    };
    if (stream.errored || stream.destroyed) return close();
    // It stays: without a listener an error that comes later would end the process.
    stream.on('error', reject);
    const letGo = (): void => {
      reject(signal!.reason);
      stream.destroy?.();
    };
    if (signal?.aborted) return letGo();
    signal?.addEventListener('abort', letGo);
    const look = (): void => void (isRead(stream) || isWritten(stream) || resolve());
    stream.on('end', look);
    stream.on('finish', look);
    stream.on('close', close);
    look();
    if (isRead(stream) && stream.readableFlowing === null) stream.resume?.();
  });
}

function isRead({ readable, readableEnded }: NodeStream): boolean {
  return readable === true && readableEnded !== true;
}

/** Others have ended it, or what they pipe into it will. */
function isWritten(stream: NodeStream): boolean {
  if (stream.writableFinished !== false) return false;
  return stream.writableEnded === true || stream.listenerCount('unpipe') > 0;
}
