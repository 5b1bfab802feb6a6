import type { JobFilesStatus } from '../job-files/index.js';
import type { Finding } from '../typeorm/index.js';

const mostTold = 20;
const common = { code: 'health.job-files', severity: 'warning' } as const;

/** What is wrong with the folder of job files of a service, and with each file in it. */
export function jobFileFindings({ directory, problem, files }: JobFilesStatus): Finding[] {
  const findings: Finding[] = [];
  if (problem !== null) {
    findings.push({
      ...common,
      sentence: `${problem.message} What its files said before stays in force.`,
      evidence: { directory, since: problem.since.toISOString(), reason: problem.message },
      repair: {
        by: 'hand',
        text: `Let the user of the service read ${directory}; where it is empty by mistake, put its files back.`,
      },
    });
  }
  const broken = files.flatMap((file) =>
    file.error === null ? [] : brokenFinding(directory, file, file.error),
  );
  findings.push(...broken.slice(0, mostTold));
  const count = broken.length - mostTold;
  if (count > 0) {
    findings.push({
      ...common,
      sentence: `${count} more job files of ${directory} are broken.`,
      evidence: { directory, count },
      repair: { by: 'hand', text: 'Mend those that are named, and look again.' },
    });
  }
  return findings;
}

type FileStatus = JobFilesStatus['files'][number];

function brokenFinding(
  directory: string,
  { file, jobs }: FileStatus,
  { message, line, column, since }: NonNullable<FileStatus['error']>,
): Finding {
  const path = `${directory}/${file}`;
  const place = [path, line, column].filter((part) => part !== null).join(':');
  const rest = jobs.length === 0 ? 'Nothing of it is in force.' : 'What it said before stays in force.';
  return {
    ...common,
    sentence: `The job file ${place} is broken: ${message} ${rest}`,
    evidence: { file: path, line, column, reason: message, since: since.toISOString() },
    repair: { by: 'hand', text: `Mend ${place}: the service reads it again within two seconds.` },
  };
}
