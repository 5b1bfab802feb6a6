import {
  binaryUseMs,
  type BinaryStorage,
  type EpochMs,
  type StoredBinary,
} from '../ports/storage.adapter.js';
import type { StatementScope } from './statement.runner.js';

interface BinaryRow extends Pick<StoredBinary, 'sha256' | 'size'> {
  stored_ms: EpochMs;
  used_ms: EpochMs;
  base64: string | null;
}

/** Programs in PostgreSQL. They go there and back as text, which needs nothing of the connection. */
export class TypeOrmBinaries implements BinaryStorage {
  constructor(private readonly statements: Pick<StatementScope, 'run'>) {}

  async putBinary(sha256: string, bytes: Uint8Array): Promise<StoredBinary> {
    const there = await this.useBinary(sha256);
    if (there !== null) return there;
    const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
    const [row] = await this.statements.run<BinaryRow>('putBinary', sha256, base64);
    return toBinary(row!);
  }

  async useBinary(sha256: string): Promise<StoredBinary | null> {
    const row = await this.use(sha256, false);
    return row && toBinary(row);
  }

  async readBinary(sha256: string): Promise<Uint8Array | null> {
    const row = await this.use(sha256, true);
    return row && Buffer.from(row.base64!, 'base64');
  }

  private async use(sha256: string, withBytes: boolean): Promise<BinaryRow | null> {
    const look = async (): Promise<BinaryRow | undefined> =>
      (await this.statements.run<BinaryRow>('useBinary', sha256, binaryUseMs, withBytes))[0];
    // Somebody else may have used it, or removed it, while this waited: that is seen by another look.
    return (await look()) ?? (await look()) ?? null;
  }
}

function toBinary({ sha256, size, stored_ms: storedAt, used_ms: usedAt }: BinaryRow): StoredBinary {
  return { sha256, size, storedAt, usedAt };
}
