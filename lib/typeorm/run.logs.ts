import {
  middleOf,
  type NewRunLogPart,
  type LoggedLine,
  type RunLogPart,
  type RunLogPlace,
  type RunLogStorage,
} from '../ports/storage.adapter.js';
import { columns } from './rows.js';
import { isRunId } from './run.id.js';
import type { StatementScope } from './statement.runner.js';

interface PartRow {
  fence: number;
  part: number;
  attempt: number;
  bytes: number;
  dropped: number;
  lines: LoggedLine[];
}

/** Logs of runs in PostgreSQL: a row for all that was written of an attempt at once. */
export class TypeOrmRunLogs implements RunLogStorage {
  constructor(private readonly statements: StatementScope) {}

  async append(parts: readonly NewRunLogPart[]): Promise<void> {
    const { run } = this.statements;
    const rows = parts.map(({ lines, ...part }) => ({
      ...part,
      at: lines.at(-1)!.at,
      count: lines.length,
      json: JSON.stringify(lines),
    }));
    const values = columns(rows, [
      ...(['runId', 'fence', 'worker', 'attempt', 'part'] as const),
      ...(['at', 'count', 'bytes', 'dropped', 'json'] as const),
    ]);
    for (const { id } of await run<{ id: string }>('appendRunLogs', ...values)) await this.trim(id);
  }

  async read(runId: string, after: RunLogPlace | null): Promise<RunLogPart[]> {
    if (!isRunId(runId)) return [];
    const { fence, part } = after ?? { fence: -1, part: -1 };
    const rows = await this.statements.run<PartRow>('readRunLog', runId, fence, part);
    return rows.map(({ fence: of, part: nth, attempt, bytes, dropped, lines }) => ({
      ...{ attempt, fence: of, part: nth, lines, bytes, dropped },
    }));
  }

  /** Only who has the run writes to its log, one call after the other. */
  private trim(runId: string): Promise<void> {
    type Size = RunLogPlace & { line_count: number; bytes: number };
    return this.statements.change(async ({ run }) => {
      const sizes = await run<Size>('lockRunLog', runId);
      const middle = middleOf(sizes.map(({ line_count: lines, bytes }) => ({ lines, bytes })));
      if (middle === null) return;
      const [from, until] = [sizes[middle.from]!, sizes[middle.until]!];
      await run('dropLogParts', runId, from.fence, from.part, until.fence, until.part);
    });
  }
}
