import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowances } from '../../../shared/model/allowances.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { forbidden } from '../../../shared/workloads/admission.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { answeringWorld, digestOf } from './answering.ts';

const app = (web: object, more: object = {}) =>
  ApplicationSpec.parse({ name: 'shop', services: { web: { image: 'shop/web:1', ...web } }, ...more });
const paths = (web: object, allowances: object = {}) =>
  forbidden(app(web), Allowances.parse(allowances)).map(({ path }) => path);

describe('what an environment allows', () => {
  it('is nothing unless an administrator says so', () => {
    const everything = {
      privileged: true,
      capAdd: ['NET_ADMIN', 'NET_RAW'],
      volumes: ['/srv/data:/data'],
      sidecars: { log: { image: 'x', privileged: true } },
    };
    expect(paths(everything)).toEqual([
      'services.web.privileged',
      'services.web.capAdd.0',
      'services.web.volumes.0',
      'services.web.sidecars.log.privileged',
    ]);
    expect(paths(everything, { privileged: true, hostPaths: [{ path: '/srv', writable: true }] })).toEqual(
      [],
    );
  });

  it.each([
    ['/srv/data', '/srv/data', true],
    ['/srv/data/', '/srv/data', true],
    ['/srv/data/deep', '/srv', true],
    ['/srv/database', '/srv/data', false],
    ['/srv', '/srv/data', false],
    ['//srv/./data', '/srv/data', true],
    ['/etc', '/', true],
  ])('%s is within %s: %s', (source, path, is) => {
    const volumes = [{ type: 'host', source, target: '/x', readOnly: true }];
    expect(paths({ volumes }, { hostPaths: [{ path }] })).toEqual(is ? [] : ['services.web.volumes.0']);
  });

  it('for reading is not for writing', () => {
    expect(paths({ volumes: ['/srv:/x'] }, { hostPaths: [{ path: '/srv' }] })).toEqual([
      'services.web.volumes.0',
    ]);
    expect(paths({ volumes: ['/srv:/x:ro'] }, { hostPaths: [{ path: '/srv' }] })).toEqual([]);
  });

  it('never grows by a path that was not allowed', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '.');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const normal = (text: string) => text.split('/').filter((one) => one !== '' && one !== '.');
    fc.assert(
      fc.property(
        path,
        path.filter((text) => !text.includes('.')),
        (source, allowed) => {
          const volumes = [{ type: 'host', source, target: '/x' }];
          const refused = paths({ volumes }, { hostPaths: [{ path: allowed, writable: true }] }).length > 0;
          const above = normal(allowed);
          expect(refused).toBe(normal(source).slice(0, above.length).join('/') !== above.join('/'));
        },
      ),
    );
  });
});

describe('a deployment', () => {
  const refusalOf = async (
    web: object,
    prepare?: (world: ReturnType<typeof answeringWorld>) => Promise<unknown>,
  ) => {
    const world = answeringWorld();
    await prepare?.(world);
    const error = await world.send(world.deploy(app(web))).catch((thrown: unknown) => thrown);
    const rows = [];
    for await (const { value } of world.stores.services.list({})) rows.push(value);
    return { error, rows };
  };

  it('of what is not allowed is refused before anything changes', async () => {
    const { error, rows } = await refusalOf({ privileged: true });
    expect(error).toMatchObject({
      code: 'not-allowed',
      status: 400,
      issues: [{ path: 'services.web.privileged' }],
    });
    expect(rows).toEqual([]);
    const allowed = await refusalOf({ privileged: true }, ({ stores }) =>
      stores.allowances.upsert(...placeOf.allowances('dev' as never), Allowances.parse({ privileged: true })),
    );
    expect(allowed.rows).toHaveLength(1);
  });

  it('with a secret that is missing is refused with the command that sets it', async () => {
    const { error, rows } = await refusalOf({ secrets: ['db-password'] });
    expect(error).toMatchObject({
      code: 'secret-missing',
      message: 'services.web.secrets.0: there is no secret db-password in environment dev',
      remedy: 'Nothing was changed. Set it first: berth secrets set db-password --environment dev',
    });
    expect(rows).toEqual([]);
  });

  it('with a sidecar whose image was not pushed is refused; its revision has the digest otherwise', async () => {
    const sidecars = { log: { image: 'shop/log:1' } };
    const { error } = await refusalOf({ sidecars });
    expect(error).toMatchObject({
      code: 'image-not-found',
      issues: [{ path: 'services.web.sidecars.log.image' }],
    });
    const { rows } = await refusalOf({ sidecars }, async ({ tags }) => tags.set('shop/log:1', digestOf('b')));
    expect(rows[0]?.spec.sidecars).toMatchObject({ log: { digest: digestOf('b') } });
  });
});
