/** What the cron handles throw in local mode, with the messages that code written for the `cron` package may compare. */
export class CronError extends Error {}
