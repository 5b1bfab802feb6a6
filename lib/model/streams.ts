// Streams that a function returns: what flows through them is its work, which goes on after it has returned.

type Loose = Partial<Record<PropertyKey, unknown>>;

/** What is used of a stream of Node. */
interface NodeStream {
  readable?: boolean;
  readableEnded?: boolean;
  readableFlowing?: boolean | null;
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

/** The stream of Node that has something to do; null: it is none, has ended, or is one that others write to at their time, such as a log. */
export function flowing(value: Loose): NodeStream | null {
  const isStream = [value.pipe, value.on, value.listenerCount].every((each) => typeof each === 'function');
  if (!isStream) return null;
  const stream = value as unknown as NodeStream;
  if (stream.errored) return stream;
  if (stream.destroyed) return null;
  return isRead(stream) || isWritten(stream) ? stream : null;
}

/** Resolves when it has ended, what nobody reads is read; rejects with its error. When the signal fires it is destroyed, and this rejects with the reason. */
export function endOf(stream: NodeStream, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.errored) return reject(stream.errored);
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
    stream.on('close', () => {
      const isWhole = stream.readableEnded !== false || !stream.readable;
      if (stream.errored) reject(stream.errored);
      else if (isWhole && stream.writableFinished !== false) resolve();
      else reject(new Error('The stream that the handler returned was closed before its end.'));
    });
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
