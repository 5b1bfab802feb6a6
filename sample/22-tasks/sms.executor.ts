import { TaskExecutor, type StandardSchema, type TaskContext } from 'nestjs-chronis';

export interface Sms {
  to: string;
  text?: string;
}

/** By hand; zod and its likes make such schemas. */
const smsSchema: StandardSchema<Sms> = {
  '~standard': {
    version: 1,
    vendor: 'sample',
    validate: (value) => {
      const { to } = value as Sms;
      const isNumber = typeof to === 'string' && /^\+[\d ]+$/.test(to);
      return isNumber
        ? { value: value as Sms }
        : { issues: [{ message: 'is no telephone number', path: ['to'] }] };
    },
  },
};

/** Stands in for a gateway. */
@TaskExecutor('sms')
export class SmsExecutor implements TaskExecutor<Sms> {
  readonly schema = smsSchema;

  execute({ to, text = 'Hello!' }: Sms, { runId }: TaskContext): { sent: string; reference: string } {
    return { sent: `${text} to ${to}`, reference: runId };
  }
}
