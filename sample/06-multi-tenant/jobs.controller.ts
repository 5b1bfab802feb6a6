import { Body, Controller, Delete, Get, NotFoundException, Param, Post, UseGuards } from '@nestjs/common';
import { JobNotFoundError, SchedulerService, type Job } from 'nestjs-chronis';
import { Tenant, TenantGuard } from './tenant.guard.js';

/** The jobs of whoever asks. Each method goes through `forTenant`, so there is nothing to forget in a query. */
@Controller('jobs')
@UseGuards(TenantGuard)
export class JobsController {
  constructor(private readonly scheduler: SchedulerService) {}

  @Get()
  async list(@Tenant() tenant: string): Promise<Job[]> {
    return (await this.scheduler.forTenant(tenant).queryJobs()).items;
  }

  @Post()
  create(@Tenant() tenant: string, @Body() { id, at }: { id: string; at: string }): Promise<Job> {
    return this.scheduler.forTenant(tenant).schedule('send-report', { id, at });
  }

  @Delete(':id')
  async remove(@Tenant() tenant: string, @Param('id') id: string): Promise<void> {
    try {
      await this.scheduler.forTenant(tenant).deleteJob(id);
    } catch (error) {
      throw error instanceof JobNotFoundError ? new NotFoundException() : error;
    }
  }
}
