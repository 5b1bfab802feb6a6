import type { Actor } from '../index.js';
import { FailedError, UsageError } from './cli.errors.js';
import type { GlobalValues } from './global.options.js';
import { namedSession } from './named.session.js';
import type { Session } from './session.js';
import { isStorage, socketOf, type StorageChoice } from './storage.choice.js';

/** A server that is away is not waited for at the end. */
const closeMs = 5_000;

/** Who is to answer. */
export type Asked = 'any' | 'service';

/** Opens the storage where a command needs it, and closes it at the end, whatever comes. */
export class SessionHolder {
  private opening: Promise<Session> | null = null;

  constructor(
    private readonly storage: () => StorageChoice,
    private readonly globals: GlobalValues,
    private readonly command: { makesStorage: boolean; actor: Actor | null },
    private readonly note: (line: string) => void,
  ) {}

  /** `service`: of a storage in a file only the process is asked that has it. Throws UsageError, FailedError, and ChronisError. */
  open(whom: Asked = 'any'): Promise<Session> {
    this.opening ??= this.begin(whom);
    return this.opening;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    if (this.opening === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMs)));
    const closed = this.opening.then(
      (session) => session.close(),
      () => undefined,
    );
    await Promise.race([closed.catch((error: Error) => this.note(`chronis: ${error.message}`)), late]);
    clearTimeout(timer);
  }

  private async begin(whom: Asked): Promise<Session> {
    const { controlSession } = await import('./control.client.js');
    const { socket } = this.globals;
    const { makesStorage, actor } = this.command;
    if (socket !== undefined) {
      const session = await controlSession(socket, actor);
      if (session !== null) return session;
      throw new FailedError(`No service answers at ${socket}. Is "chronis run" running, with that --socket?`);
    }
    const choice = this.storage();
    if (whom === 'service' && choice.kind === 'postgres')
      throw new UsageError(
        'Only a running service can answer that: give its --socket, or the file that it has.',
      );
    if (!makesStorage) assertThere(choice);
    // A process that has the file is asked.
    const session = choice.kind === 'postgres' ? null : await controlSession(socketOf(choice.path), actor);
    if (session !== null) return session;
    if (whom === 'service' && choice.kind !== 'postgres')
      throw new FailedError(`No service answers that has ${choice.path}. Is "chronis run" running?`);
    // Nest, and the driver of a database: only for who needs them.
    const { openSession } = await import('./session.js');
    const { StderrLogger } = await import('./stderr.logger.js');
    const logger = new StderrLogger(this.globals.logLevel ?? 'WARNING', this.note);
    const opened = await openSession(choice, { logger });
    return actor === null ? opened : namedSession(opened, actor);
  }
}

/** A path that is misspelt would be a storage without jobs. Throws UsageError. */
function assertThere(choice: StorageChoice): void {
  if (choice.kind === 'postgres' || isStorage(choice.path)) return;
  throw new UsageError(
    choice.isDefault
      ? `No storage is named, and there is none yet at ${choice.path}, where "chronis run" keeps jobs. Give --storage or CHRONIS_STORAGE.`
      : `There is no file ${choice.path} (${choice.origin}). "chronis run" and "chronis jobs create" make it.`,
  );
}
