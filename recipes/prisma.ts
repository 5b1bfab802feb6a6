import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';
import type { Prisma, PrismaClient } from './generated/client.js';

/** For `prisma.$transaction((tx) => …)`. */
export function executorOf(tx: Prisma.TransactionClient): SqlExecutor {
  return { query: (text, values) => tx.$queryRawUnsafe(text, ...values) };
}

/** For `context.transaction(work, { begin: inPrisma(prisma) })`. */
export function inPrisma(prisma: PrismaClient): TransactionBegin<Prisma.TransactionClient> {
  return (run) => prisma.$transaction((tx) => run(executorOf(tx), tx));
}
