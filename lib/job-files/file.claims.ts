import { FileFault, placeName } from './file.fault.js';
import type { CheckedJob, JobFile } from './job.file.js';

/**
 * Decides which new contents count, where two files have one id: the file that has it keeps it, or else the one that is older, and the other one stays as it was. Files may exchange ids at the same time. What is decided is written into the files.
 */
export function settleClaims(files: readonly JobFile[]): void {
  const owners = new Map<string, JobFile>();
  for (const file of files) for (const job of file.good ?? []) owners.set(job.key, file);
  for (;;) {
    const loser = findLoser(files, owners);
    if (loser === null) break;
    const { file, job, other } = loser;
    const place = other.jobs.find(({ key }) => key === job.key)!.place;
    file.yieldTo(
      new FileFault(
        `Two files have the job "${job.id}": ${placeName(other.name, place)} and this one. Give one of them another id, or take it out. That of ${other.name} holds.`,
        job.place,
      ),
    );
  }
  for (const file of files) file.accept();
}

interface Loser {
  file: JobFile;
  job: CheckedJob;
  other: JobFile;
}

/** A file whose new content has an id that is another file's. */
function findLoser(files: readonly JobFile[], owners: ReadonlyMap<string, JobFile>): Loser | null {
  const claims = new Map<string, JobFile>();
  for (const file of files.toSorted(byAge)) {
    for (const job of file.jobs) {
      const other = claims.get(job.key);
      claims.set(job.key, other ?? file);
      if (other === undefined) continue;
      // What a file has had is not taken from it: only new contents lose.
      const loses = isBehind(file, other, owners.get(job.key)) ? file : other;
      if (!loses.isNew) continue;
      return { file: loses, job: jobIn(loses, job.key), other: loses === file ? other : file };
    }
  }
  return null;
}

function isBehind(file: JobFile, other: JobFile, owner: JobFile | undefined): boolean {
  if (!file.isNew) return false;
  if (!other.isNew) return true;
  return owner !== file;
}

function jobIn(file: JobFile, key: string): CheckedJob {
  return file.jobs.find((job) => job.key === key)!;
}

function byAge(one: JobFile, other: JobFile): number {
  return one.changedAtMs - other.changedAtMs || (one.name < other.name ? -1 : 1);
}
