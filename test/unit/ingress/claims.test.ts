import { describe, expect, it } from 'vitest';
import { allRoutes, claimRoutes, takenRoutes } from '../../../shared/ingress/claims.ts';
import { routeText } from '../../../shared/ingress/route-row.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import { EnvironmentName } from '../../../shared/model/names.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';

const [dev, prod] = [EnvironmentName.parse('dev'), EnvironmentName.parse('prod')];
const image = `shop/web@sha256:${'a'.repeat(64)}`;
const at = '2026-11-30T12:00:00Z';
const appOf = (name: string, services: Record<string, string[]>): ApplicationSpec =>
  ApplicationSpec.parse({
    name,
    services: Object.fromEntries(
      Object.entries(services).map(([service, hosts]) => [
        service,
        { image, port: 80, routes: hosts.map((host) => ({ host })) },
      ]),
    ),
  });

describe('claims of routes', () => {
  it('refuses a route of another application, of whatever environment, naming both; nothing changes', async () => {
    const tables = memoryTables();
    await claimRoutes(tables, prod, appOf('shop', { web: ['a.example'] }), at);
    const other = appOf('blog', { site: ['b.example', 'a.example'] });
    expect((await takenRoutes(tables, dev, other)).map(({ holder }) => holder.application)).toEqual(['shop']);
    const refusal = await claimRoutes(tables, dev, other, at).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Invalid);
    expect(refusal).toMatchObject({ code: 'route-taken', status: 409 });
    expect((refusal as Invalid).issues[0]?.path).toBe('services.site.routes.1');
    expect((refusal as Invalid).message).toContain(
      'a.example/, which dev.blog.site claims, is that of prod.shop.web',
    );
    expect((await allRoutes(tables)).map(routeText)).toEqual(['a.example/ → prod.shop.web']);
  });

  it('moves a route between services of one application, and gives up what is not named', async () => {
    const tables = memoryTables();
    await claimRoutes(tables, dev, appOf('shop', { web: ['a.example', 'b.example'], api: [] }), at);
    expect(await claimRoutes(tables, dev, appOf('shop', { web: [], api: ['a.example'] }), at)).toBe(true);
    expect((await allRoutes(tables)).map(routeText)).toEqual(['a.example/ → dev.shop.api']);
    expect(await claimRoutes(tables, dev, appOf('shop', { web: [], api: ['a.example'] }), at)).toBe(false);
  });

  it('lets one of two that come at once have it', async () => {
    const tables = memoryTables();
    const results = await Promise.allSettled(
      ['one', 'two', 'three'].map((name) =>
        claimRoutes(tables, dev, appOf(name, { web: ['a.example'] }), at),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await allRoutes(tables)).toHaveLength(1);
  });
});

describe('routes of an application', () => {
  const faultsOf = (services: unknown) =>
    ApplicationSpec.safeParse({ name: 'shop', services }).error?.issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  it.each([
    [
      { web: { image, routes: [{ host: 'a.example' }] } },
      'services.web.routes: routes lead to the port of web',
    ],
    [
      { web: { image, port: 80, routes: [{ host: 'A.example' }] } },
      'services.web.routes.0.host: expected a host name',
    ],
    [
      { web: { image, port: 80, routes: [{ host: 'a', path: 'x' }] } },
      'services.web.routes.0.path: expected a path',
    ],
    [{ web: { image, port: 80, routes: [{ host: '*.a', tls: 'acme' }] } }, 'cannot be had by HTTP-01'],
    [{ web: { image, port: 80, routes: [{ host: 'a', redirect: true }] } }, 'no https to redirect to'],
    [{ web: { image, port: 80, routes: [{ host: 'a', stripPrefix: true }] } }, 'nothing to strip'],
    [
      {
        web: { image, port: 80, routes: [{ host: 'a' }] },
        api: { image, port: 80, routes: [{ host: 'a', path: '/' }] },
      },
      'the route a/ is claimed by web and api',
    ],
  ])('refuses %j', (services, fault) => {
    expect(faultsOf(services)?.join('\n')).toContain(fault);
  });

  it('takes a path with and without a slash at its end for the same', () => {
    const routes = [
      { host: 'a', path: '/api' },
      { host: 'a', path: '/api/' },
    ];
    expect(faultsOf({ web: { image, port: 80, routes } })?.join()).toContain('stands twice');
  });
});
