import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUBSCRIPTION, startTestArm, type TestArm } from '../../support/arm.ts';
import { group, makeVm, nicPath, VNET, vmBody, vmPath, vnetBody } from './resources.ts';

describe('ARM: requests', () => {
  let arm: TestArm;
  beforeAll(async () => {
    arm = await startTestArm();
  });
  afterAll(() => arm?.close());

  it.each([
    ['no token', { authorization: '' }, 'AuthenticationFailed'],
    ['a wrong token', { authorization: 'Bearer other' }, 'InvalidAuthenticationToken'],
  ])('refuses %s', async (_name, headers, code) => {
    const answer = await arm.call('GET', group, undefined, headers);
    expect(answer).toMatchObject({ status: 401, body: { error: { code } } });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('refuses the fault orders of those without a token', async () => {
    expect((await arm.call('GET', '/local/faults', undefined, { authorization: '' })).status).toBe(401);
  });

  it.each([
    [`${group}?api-version=`, 400, 'MissingApiVersionParameter'],
    [`${group}?api-version=latest`, 400, 'InvalidApiVersionParameter'],
    [group.replace(SUBSCRIPTION, '00000000-0000-0000-0000-000000000000'), 404, 'SubscriptionNotFound'],
    ['/', 404, 'MissingSubscription'],
    [`/subscriptions/${SUBSCRIPTION}/resourceGroups/other`, 404, 'ResourceGroupNotFound'],
    [
      `/subscriptions/${SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/vm`,
      404,
      'ResourceGroupNotFound',
    ],
    [vmPath('none'), 404, 'ResourceNotFound'],
    [`${group}/providers/Microsoft.Web/sites/x`, 404, 'InvalidResourceType'],
  ])('GET %s answers %i %s', async (path, status, code) => {
    expect(await arm.call('GET', path)).toMatchObject({
      status,
      body: { error: { code, message: expect.any(String) } },
    });
  });

  it('compares paths without regard to case, and keeps the first spelling', async () => {
    await makeVm(arm, 'Cased');
    const { status, body } = await arm.call(
      'GET',
      vmPath('CASED').toUpperCase().replace('/SUBSCRIPTIONS', '/SubScriptions'),
    );
    expect(status).toBe(200);
    expect(body.id).toBe(vmPath('Cased'));
  });

  it('refuses a body that is no JSON', async () => {
    const response = await fetch(new URL(`${VNET}?api-version=2024-05-01`, arm.endpoint), {
      method: 'PUT',
      headers: { authorization: 'Bearer valid', 'content-type': 'application/json' },
      body: '{"location":',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'InvalidRequestContent' } });
  });

  it('refuses a body of more than 4 MiB', async () => {
    const answer = await arm
      .call('PUT', VNET, { ...vnetBody(), tags: { big: 'x'.repeat(4 * 1024 * 1024) } })
      .catch(() => undefined);
    // The connection is cut while the client still sends, unless it has read the answer.
    if (answer !== undefined) expect(answer).toMatchObject({ status: 413 });
    expect((await arm.call('GET', group)).status).toBe(200);
  });

  it.each(['%2e%2e%2fetc', '..', 'a%20b', 'under_score', 'x'.repeat(65), '%00', '%zz'])(
    'refuses a machine that is named %s',
    async (name) => {
      await makeVm(arm, 'named');
      const answer = await arm.call('PUT', vmPath(name), vmBody('named-nic'));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    },
  );

  it('refuses another region', async () => {
    const answer = await arm.call('PUT', VNET, { ...vnetBody(), location: 'eastus' });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 'LocationNotAvailableForResourceType' } },
    });
  });

  it('answers 4xx to malformed bodies of every kind', async () => {
    const bodies = [
      null,
      [],
      'text',
      7,
      { properties: 7 },
      { location: {} },
      { location: 'westeurope', properties: [] },
      { location: 'westeurope', tags: [1] },
    ];
    for (const path of [group, VNET, nicPath('x'), vmPath('x')])
      for (const body of bodies)
        expect(
          (await arm.call('PUT', path, body)).status,
          `${path} ${JSON.stringify(body)}`,
        ).toBeGreaterThanOrEqual(400);
    expect((await arm.call('GET', nicPath('x'))).status).toBe(404);
  });
});
