import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Catch,
  Injectable,
  Scope,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ChronisInterceptor, InjectRunContext, type RunContext } from 'nestjs-chronis';
import { map } from 'rxjs';

export const shops = new AsyncLocalStorage<string>();

/** Around every run of every handler: whatever is called from there knows the shop. */
@Injectable()
export class ShopInterceptor extends ChronisInterceptor {
  intercept({ job }: RunContext, next: () => Promise<unknown>): Promise<unknown> {
    return shops.run(job.metadata.shop as string, next);
  }
}

/** The same guard would do for routes: it gets the run where they give the request. */
@Injectable()
export class OpenShopGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const [run] = context.getArgs<[RunContext]>();
    return run.job.metadata.shop !== 'Closed shop';
  }
}

@Injectable()
export class ThankYou implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler<string>) {
    return next.handle().pipe(map((receipt) => `${receipt}. Thank you!`));
  }
}

export class SoldOutError extends Error {}

/** What a filter returns is the result: the run has succeeded. */
@Catch(SoldOutError)
export class SoldOutFilter implements ExceptionFilter<SoldOutError> {
  catch({ message }: SoldOutError): string {
    return `Sorry, ${message}`;
  }
}

/** Made anew for each run, and for each HTTP request, where there is no run. */
@Injectable({ scope: Scope.REQUEST })
export class Basket {
  readonly items: string[] = [];

  constructor(@InjectRunContext() private readonly run: RunContext | null) {}

  label(): string {
    return `basket of ${this.run?.job.id}`;
  }
}
