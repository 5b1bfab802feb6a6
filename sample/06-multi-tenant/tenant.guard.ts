import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';

/** A request of which it is known who sent it. */
interface TenantRequest {
  headers: Record<string, string | undefined>;
  tenant?: string;
}

/** Stands for your sign-in; a real key is a secret. */
const tenantsByKey = new Map([
  ['key-of-acme', 'acme'],
  ['key-of-globex', 'globex'],
]);

/** Lets in who has a key, and notes whose it is. */
@Injectable()
export class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<TenantRequest>();
    const tenant = tenantsByKey.get(request.headers['x-api-key'] ?? '');
    if (tenant === undefined) return false;
    request.tenant = tenant;
    return true;
  }
}

/** The tenant that the guard has found. */
export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<TenantRequest>().tenant;
});
