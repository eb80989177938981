import { createServer, request, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureBalancer } from '../../../shared/ingress/balancer/balancer.azure.ts';
import type { BalancerProgress } from '../../../shared/ingress/balancer/balancer.ts';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../../shared/machines/cloud.azure.ts';
import { credential, GROUP, startTestArm, type TestArm } from '../../support/arm.ts';
import { until } from '../../support/conditions.ts';
import { network } from './resources.ts';

/** Ports 80 and 443 of loopback addresses that nothing else has. */
const NETWORK = '127.77.0.0/24';
const GATEWAY = '127.77.0.1';
const canBind = process.getuid?.() === 0;

const ask = (port = 80): Promise<string> =>
  new Promise((resolve) => {
    request({ host: GATEWAY, port, agent: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    })
      .once('error', (error) => resolve(error.message))
      .end();
  });

describe.skipIf(!canBind)('a load balancer of the local endpoint, by the Azure SDK', () => {
  let arm: TestArm;
  let balancer: ReturnType<typeof azureBalancer>;
  const servers: Server[] = [];
  const probes: Server[] = [];

  async function settled(step: () => Promise<BalancerProgress>): Promise<BalancerProgress> {
    for (let tries = 0; tries < 50; tries += 1) {
      const progress = await step();
      if (progress.state !== 'going') return progress;
      await arm.idle();
    }
    throw new Error('it never settles');
  }

  beforeAll(async () => {
    arm = await startTestArm({ subnet: NETWORK, gateway: GATEWAY, publicAddress: GATEWAY });
    const clients = armClients(arm.settings, credential);
    const cloud = azureCloud(clients);
    balancer = azureBalancer(clients);
    for (let progress = await cloud.ensureNetwork(); progress.status === 'going'; )
      progress = await cloud.poll(progress.operation);
    for (const name of ['a', 'b']) {
      for (
        let made = await cloud.createNic({ name: `${name}-nic`, machine: name });
        made.status === 'going';
      ) {
        await arm.idle();
        made = await cloud.createNic({ name: `${name}-nic`, machine: name });
      }
      const address = await cloud.nicAddress(`${name}-nic`);
      const server = createServer((_, response) => response.end(name));
      await new Promise<void>((resolve) => server.listen(80, address, resolve));
      const probed = createServer((_, response) => response.end('ok'));
      await new Promise<void>((resolve) => probed.listen(8404, address, resolve));
      servers.push(server);
      probes.push(probed);
    }
  });

  afterAll(async () => {
    for (const server of servers) server.closeAllConnections();
    for (const server of [...servers, ...probes]) server.close();
    await arm?.close();
  });

  it('leads to its members in turn, and tells its address', async () => {
    const made = await settled(() => balancer.ensure(['a-nic', 'b-nic']));
    expect(made).toEqual({ state: 'done', address: GATEWAY });
    expect(new Set([await ask(), await ask(), await ask()])).toEqual(new Set(['a', 'b']));
    const { body } = await arm.call('GET', network('loadBalancers', 'berth-ingress'));
    expect(body.properties.backendAddressPools[0].properties.backendIPConfigurations).toHaveLength(2);
    const address = await arm.call('DELETE', network('publicIPAddresses', 'berth-ingress-ip'));
    expect(address).toMatchObject({
      status: 400,
      body: { error: { code: 'PublicIPAddressCannotBeDeleted' } },
    });
  });

  it('passes over a member that does not answer', async () => {
    const [, second] = servers;
    second?.closeAllConnections();
    await new Promise((resolve) => second?.close(resolve));
    expect([await ask(), await ask(), await ask()]).toEqual(['a', 'a', 'a']);
  });

  it('gives no connection to one whose probe is refused, though it would take it', async () => {
    const [first] = probes;
    await new Promise((resolve) => first?.close(resolve));
    const [one] = servers;
    // The other is gone for its requests, but answers the probe.
    await until('a is passed over', async () => (await ask()) !== 'a', 15);
    expect(one?.listening).toBe(true);
    await new Promise<void>((resolve) => first?.listen(8404, '127.77.0.4', resolve));
    await until('a is back', async () => (await ask()) === 'a', 15);
  });

  it('keeps what is there, and lets members go', async () => {
    await settled(() => balancer.ensure(['a-nic']));
    const { body } = await arm.call('GET', network('networkInterfaces', 'b-nic'));
    expect(body.properties.ipConfigurations[0].properties.loadBalancerBackendAddressPools).toBeUndefined();
    expect(await ask()).toBe('a');
  });

  it('goes on after a restart of the endpoint', async () => {
    arm = await arm.restart();
    balancer = azureBalancer(armClients(arm.settings, credential));
    expect(await ask()).toBe('a');
  });

  it('refuses what Azure refuses', async () => {
    const path = network('loadBalancers', 'other');
    const frontend = {
      name: 'f',
      properties: { publicIPAddress: { id: network('publicIPAddresses', 'none') } },
    };
    const body = {
      location: 'westeurope',
      sku: { name: 'Standard' },
      properties: { frontendIPConfigurations: [frontend] },
    };
    expect((await arm.call('PUT', path, body)).body.error.code).toBe('InvalidResourceReference');
    frontend.properties.publicIPAddress.id = network('publicIPAddresses', 'berth-ingress-ip');
    expect((await arm.call('PUT', path, body)).body.error.code).toBe('PublicIPAddressInUse');
    const used = await arm.call('DELETE', network('loadBalancers', 'berth-ingress'));
    expect(used.body.error.code).toBe('LoadBalancerInUseByVirtualMachine');
  });

  it('leaves nothing', async () => {
    expect(await settled(() => balancer.remove())).toEqual({ state: 'done' });
    expect(await ask()).toContain('ECONNREFUSED');
    const { body } = await arm.call('GET', network('publicIPAddresses', ''));
    expect(body?.value ?? []).toEqual([]);
    const rules = await arm.call('GET', network('networkSecurityGroups', 'berth-machines'));
    expect(rules.body.properties.securityRules.map(({ name }: { name: string }) => name)).not.toContain(
      'AllowIngress',
    );
    expect(GROUP).toBe('berth-machines');
    await sleep(0);
  });

  it.each([
    ['publicIp.create', 'in-operation'],
    ['publicIp.create', 'after-commit-reply-lost'],
    ['loadBalancer.create', 'in-operation'],
    ['loadBalancer.create', 'after-commit-reply-lost'],
    ['nic.create', 'after-commit-reply-lost'],
    ['loadBalancer.delete', 'in-operation'],
    ['publicIp.delete', 'after-commit-reply-lost'],
  ])('goes on after a failure of %s %s, and leaves nothing in the end', async (operation, when) => {
    const order = {
      operation,
      when,
      ...(when === 'in-operation' && { code: 'InternalServerError', message: 'x' }),
    };
    expect((await arm.call('POST', '/local/faults', order)).status).toBeLessThan(300);
    // What is not answered is thrown, and the activity tried again; what is refused for a time, by the orchestration.
    const again = (step: () => Promise<BalancerProgress>) => () =>
      step().then(
        (progress): BalancerProgress =>
          progress.state === 'refused' ? { state: 'going', afterMs: 0 } : progress,
        (): BalancerProgress => ({ state: 'going', afterMs: 0 }),
      );
    expect(await settled(again(() => balancer.ensure(['a-nic'])))).toEqual({
      state: 'done',
      address: GATEWAY,
    });
    expect(await settled(again(() => balancer.remove()))).toEqual({ state: 'done' });
    const { body } = await arm.call('GET', network('loadBalancers', '').replace(/\/$/, ''));
    expect(body.value).toEqual([]);
    const addresses = await arm.call('GET', network('publicIPAddresses', '').replace(/\/$/, ''));
    expect(addresses.body.value).toEqual([]);
  });
});
