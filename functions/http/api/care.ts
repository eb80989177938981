import * as df from 'durable-functions';
import { getCareRun, listCareRuns, startCareRun } from '../../../shared/api/routes/care.ts';
import type { CareRun } from '../../../shared/model/care-run.ts';
import { requireRepository } from '../../../shared/registry/images/find-image.ts';
import { currentOf, startCare } from '../../start-care.ts';
import { endpoint } from '../endpoint.ts';
import { pullable } from './images.ts';
import { notFound } from './not-found.ts';

export const start = endpoint(
  startCareRun,
  async ({ params: { kind }, body: { dryRun, repository }, principal, context, services }) => {
    if (repository !== undefined) await requireRepository(services.tables, repository, pullable(principal));
    return startCare(services, df.getClient(context), {
      kind,
      dryRun,
      by: principal?.id ?? 'anonymous',
      ...(kind === 'gc' || repository === undefined ? {} : { repository }),
    });
  },
  { durable: true },
);

export const list = endpoint(
  listCareRuns,
  async ({ params, context, services }) => {
    const runs: CareRun[] = [];
    for await (const run of services.careRuns.list(params.kind))
      runs.push(await currentOf(services, df.getClient(context), run));
    return { runs };
  },
  { durable: true },
);

export const get = endpoint(
  getCareRun,
  async ({ params: { kind, run: name }, query, context, services }) => {
    const { careRuns } = services;
    const run = await careRuns.get(kind, name);
    if (run === undefined) throw notFound('run', name, `List them: berth registry ${kind} runs`);
    const { findings, next } = await careRuns.findings(name, query.after);
    return {
      run: await currentOf(services, df.getClient(context), run),
      findings: [...findings],
      ...(next === undefined ? {} : { next }),
    };
  },
  { durable: true },
);
