import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { careForPageActivity } from '../../functions/activities/care-for-page.ts';
import { endCareActivity } from '../../functions/activities/end-care.ts';
import { care } from '../../functions/orchestrators/care-for-registry.ts';
import type { Services } from '../../functions/services.ts';
import { type CareKind, type CareProgress, type Finding, nothingFound } from '../../shared/model/care-run.ts';
import type { RepositoryName } from '../../shared/model/image.ts';
import type { PolicyName } from '../../shared/model/names.ts';
import { runName, runStore } from '../../shared/registry/care/run-store.ts';
import { RepositoryPolicy } from '../../shared/registry/policy/policy.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { stores } from '../../shared/workloads/stores.ts';
import { content, testImage } from '../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../support/registry-client.ts';
import { testRegistry } from '../support/registry-server.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const DAY = 24 * 3600 * 1000;
let clock: { now: Date };
let client: RegistryClient;
let services: Services;
let tables: ReturnType<typeof memoryTables>;
let blobs: ReturnType<typeof memoryBlobs>;

beforeEach(async () => {
  clock = { now: new Date('2026-11-25T00:00:00Z') };
  const now = () => clock.now;
  tables = memoryTables();
  blobs = memoryBlobs(now);
  const policies = policyStore(tables, now);
  const { deps, handle } = await testRegistry({ tables, blobs }, { now, policies });
  client = registryClient(handle);
  const { onActivity: _left, report: _told, ...registry } = deps;
  services = {
    tables,
    now,
    policies,
    registry,
    careRuns: runStore(tables),
    stores: stores(tables),
    images: { resolve: async () => undefined },
  } as unknown as Services;
});

let runs = 0;
async function run(kind: CareKind, dryRun = false, repository?: string) {
  runs += 1;
  const order = {
    run: runName(clock.now, String(runs).padStart(8, '0')),
    kind,
    dryRun,
    by: 'test',
    startedAt: clock.now.toISOString(),
    ...(repository === undefined ? {} : { repository: repository as RepositoryName }),
  };
  const progress: CareProgress = { order, phase: 0, page: 0, totals: nothingFound };
  const { output } = await runOrchestration(care, progress, {
    instanceId: `registry-${kind}`,
    activities: [careForPageActivity, endCareActivity] as never,
    services,
    clock,
  });
  const findings: Finding[] = [];
  let after: string | undefined;
  do {
    const page = await services.careRuns.findings(order.run, after);
    findings.push(...page.findings);
    after = page.next;
  } while (after !== undefined);
  return { output, findings, kept: await services.careRuns.get(kind, order.run) };
}
const pass = (milliseconds: number) => {
  clock.now = new Date(clock.now.getTime() + milliseconds);
};
const names = async (): Promise<string[]> => {
  const found: string[] = [];
  for await (const { name } of blobs.list('')) found.push(name);
  return found;
};
const policy = (value: unknown) => services.policies.put('test' as PolicyName, RepositoryPolicy.parse(value));

describe('garbage collection', () => {
  it('says what would go and why, and then takes it away in two runs; what is in use stays', async () => {
    await policy({ repositories: '**', restorableForDays: 1 });
    const [kept, deleted] = [testImage([randomBytes(100)]), testImage([randomBytes(2000)])];
    await client.pushImage('shop/web', 'kept', kept);
    await client.pushImage('shop/web', 'deleted', deleted);
    await client.pushBlob('shop/web', content('x', randomBytes(300)));
    await client.pushBlob('blobs/alone', content('x', randomBytes(40)));
    await client.request('POST', '/v2/shop/web/blobs/uploads/');
    await client.request('DELETE', `/v2/shop/web/manifests/${deleted.manifest.digest}`);
    pass(8 * DAY);
    const before = await names();
    const dry = await run('gc', true);
    expect(await names()).toEqual(before);
    const kinds = (findings: readonly Finding[]) =>
      Object.entries(Object.groupBy(findings, ({ what }) => what)).map(
        ([what, all]) => `${what} ${all?.length}`,
      );
    // The configuration and layer of the image and the blob that no image names.
    expect(kinds(dry.findings)).toEqual([
      'upload 1',
      'deleted 2',
      'link 4',
      'manifest 1',
      'blob 4',
      'data 4',
    ]);
    expect(dry.findings.find(({ what }) => what === 'link')?.why).toMatch(/no manifest of the repository/);
    expect(dry.output).toMatchObject({
      state: 'done',
      totals: { found: 16, freed: deleted.manifest.bytes.length },
    });
    expect(dry.kept).toEqual(dry.output);

    const first = await run('gc');
    expect(kinds(first.findings)).toEqual(kinds(dry.findings));
    pass(4 * 3600 * 1000);
    const second = await run('gc');
    expect(kinds(second.findings)).toEqual(['data 4']);
    expect(second.output?.totals.freed).toBe(first.output?.totals.later);
    const left = await names();
    expect(left.filter((name) => name.startsWith('data/'))).toHaveLength(kept.blobs.length);
    expect(left.filter((name) => name.startsWith('gc/'))).toEqual([]);
    for (const blob of kept.blobs)
      expect((await client.request('GET', `/v2/shop/web/blobs/${blob.digest}`)).status).toBe(200);
    expect((await run('gc')).findings).toEqual([]);
  });

  it('goes on in a new history after many pages, and counts all of them', async () => {
    for (let number = 0; number < 1100; number += 1)
      await blobs.put(`data/${String(number).padStart(4, '0')}`, new Uint8Array(10));
    for (let number = 0; number < 60; number += 1)
      await client.pushImage(`team/app-${number}`, 'v1', testImage([randomBytes(10)]));
    pass(2 * DAY);
    const { output, findings } = await run('gc');
    expect(findings).toHaveLength(1100);
    expect(output?.totals).toEqual({ found: 1100, freed: 0, later: 11_000 });
  });

  it('ends, with the reason and nothing removed, where a manifest cannot be read', async () => {
    const made = testImage([randomBytes(10)]);
    await client.pushImage('broken', 'v1', made);
    await client.pushBlob('broken', content('x', randomBytes(30)));
    const [name = ''] = (await names()).filter((one) => one.startsWith('manifests/'));
    await blobs.put(name, Buffer.from('{'));
    pass(2 * DAY);
    const before = await names();
    const { output } = await run('gc');
    expect(output).toMatchObject({ state: 'failed', totals: { found: 0 } });
    expect((await names()).filter((one) => !one.startsWith('gc/'))).toEqual(before);
  });
});

describe('retention', () => {
  it('removes what policies let go, and it can be restored until its time is over', async () => {
    await policy({ repositories: 'shop/**', retention: [{ keepLast: 2 }] });
    const images = [];
    for (const tag of ['a', 'b', 'c']) {
      const made = testImage([randomBytes(50)]);
      images.push(made);
      for (const repository of ['shop/web', 'other']) await client.pushImage(repository, tag, made);
      pass(1000);
    }
    const oldest = images[0]?.manifest.digest;
    const expected = [
      { what: 'tag', name: 'shop/web:a', why: 'number 3 with keepLast 2' },
      { what: 'image', name: `shop/web@${oldest}` },
    ];
    expect((await run('retention', true)).findings).toMatchObject(expected);
    expect((await client.request('HEAD', '/v2/shop/web/manifests/a')).status).toBe(200);
    expect((await run('retention', false, 'other')).findings).toEqual([]);
    expect((await run('retention')).findings).toMatchObject(expected);
    expect((await run('retention')).findings).toEqual([]);
    expect((await client.request('HEAD', '/v2/shop/web/manifests/a')).status).toBe(404);
    expect((await client.request('HEAD', `/v2/shop/web/manifests/${oldest}`)).status).toBe(404);
    expect((await client.request('HEAD', '/v2/other/manifests/a')).status).toBe(200);
    const rows: string[] = [];
    for await (const { row } of tables.list('registry', { from: 'x!', to: 'x!~' }))
      rows.push(row.slice(0, 5));
    expect(rows).toEqual(['x!m!s', 'x!t!a']);
  });
});
