import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import type { Actor } from '../index.js';

// One call for each connection: a length and a value, both ways.

/** What may be called of a running service. */
export interface ControlCall {
  service: 'scheduler' | 'workflows' | 'definitions' | 'session';
  method: string;
  args: unknown[];
  /** In whose name; absent: nobody's. */
  actor?: Actor;
}

export type ControlAnswer = { result: unknown } | { error: { code: string; message: string } };

const lengthBytes = 4;
const longest = 64 * 1_024 * 1_024;
/** The system takes no longer path of a socket. */
const longestPath = 100;

export function isSocketPath(path: string): boolean {
  return Buffer.byteLength(path) <= longestPath;
}

export function send(socket: Socket, value: unknown): void {
  const body = serialize(value);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(body.length);
  socket.write(Buffer.concat([length, body]));
}

/** Resolves with the one value that comes. Rejects where the other end goes away before. */
export function received<T>(socket: Socket): Promise<T> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let have = 0;
    let want: number | null = null;
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      have += part.length;
      if (want === null && have >= lengthBytes) want = Buffer.concat(parts).readUInt32BE();
      if (want !== null && want > longest) return void socket.destroy(new Error(`it would be ${want} bytes`));
      if (want === null || have < lengthBytes + want) return;
      try {
        resolve(deserialize(Buffer.concat(parts).subarray(lengthBytes, lengthBytes + want)) as T);
      } catch (error) {
        reject(error as Error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection has ended')));
  });
}
