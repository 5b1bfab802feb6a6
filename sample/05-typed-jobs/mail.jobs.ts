import { defineJob } from 'nestjs-chronis';
import { z } from 'zod';

/** What web processes and workers share: the names of the jobs and the types of their payloads. */
export const SendMail = defineJob('send-mail', {
  schema: z.object({
    to: z.email(),
    subject: z.string().default('News'),
    sendAfter: z.iso.datetime().transform((text) => new Date(text)),
  }),
  maxRetries: 3,
  timeout: '10s',
});
