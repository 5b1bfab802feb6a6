/** What was changed at run time of a job, if that is in force: whoever writes another definition without it has put everything back. */
export function changesOf(job: string): string {
  return `case when ${job}.changed ->> 'hash' = ${job}.definition_hash then ${job}.changed -> 'options' end`;
}
