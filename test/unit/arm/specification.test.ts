import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { documents } from '../../../infra/local/arm/specification/documents.ts';
import { validate } from '../../../infra/local/arm/specification/validate.ts';

const folder = fileURLToPath(new URL('../../../../shared/reference/azure-specs', import.meta.url));
const there = existsSync(join(folder, 'operations.json'));

describe.skipIf(!there)("Azure's API documents (../shared/reference/azure-specs)", () => {
  const found = there ? documents(folder) : undefined!;
  const vm = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v';
  const complaint = (path: string, body: unknown, strict = true) =>
    validate(found, found.body('PUT', path)!, body, strict);

  it('accept the bodies of all their own examples', () => {
    type Operation = { method: string; path: string; examples: string[] };
    const operations: Operation[] = JSON.parse(readFileSync(join(folder, 'operations.json'), 'utf8'));
    const refused: string[] = [];
    let checked = 0;
    for (const { method, path, examples } of operations)
      for (const file of examples) {
        const { parameters } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
        const located = found.body(method, path.replaceAll(/\{[^}]+\}/g, 'x'));
        if (located === undefined) continue;
        // Path and query values that are arrays are no bodies.
        const bodies = Object.entries(parameters).filter(
          ([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value),
        );
        for (const [, body] of bodies) {
          checked += 1;
          const wrong = validate(found, located, body, false);
          if (wrong !== undefined) refused.push(`${file.split('/').at(-1)} ${wrong.at}: ${wrong.message}`);
        }
      }
    expect(checked).toBeGreaterThan(200);
    expect(refused).toEqual([]);
  });

  it('say where a body is wrong, and what was expected', () => {
    expect(complaint(vm, { properties: {} })).toEqual({
      at: 'location',
      message: "Required property 'location' not found in JSON",
    });
    expect(
      complaint(vm, { location: 'w', properties: { networkProfile: { networkInterfaces: {} } } }),
    ).toEqual({
      at: 'properties.networkProfile.networkInterfaces',
      message: 'expected an array, found {}',
    });
    expect(
      complaint(vm, {
        location: 'w',
        properties: { storageProfile: { osDisk: { createOption: 'FromImage', diskSizeGB: 'big' } } },
      }),
    ).toEqual({
      at: 'properties.storageProfile.osDisk.diskSizeGB',
      message: 'expected an integer, found "big"',
    });
  });

  it('refuse members that they do not name, unless the request is of a newer version', () => {
    const body = { location: 'w', properties: { hardwareProfil: {} } };
    expect(complaint(vm, body)).toEqual({
      at: 'properties.hardwareProfil',
      message: "Could not find member 'hardwareProfil' on object",
    });
    expect(complaint(vm, body, false)).toBeUndefined();
  });

  it('take closed enumerations without regard to case, leave open ones open, and ignore read-only members and null', () => {
    const withSize = (vmSize: string) => ({ location: 'w', properties: { hardwareProfile: { vmSize } } });
    expect(complaint(vm, withSize('Standard_D2s_v99'))).toBeUndefined();
    const withCaching = (caching: string) => ({
      location: 'w',
      properties: { storageProfile: { osDisk: { createOption: 'FromImage', caching } } },
    });
    expect(complaint(vm, withCaching('readwrite'))).toBeUndefined();
    expect(complaint(vm, withCaching('Sometimes'))).toMatchObject({
      at: 'properties.storageProfile.osDisk.caching',
    });
    expect(
      complaint(vm, { location: 'w', tags: null, properties: { vmId: 7, provisioningState: 7 } }),
    ).toBeUndefined();
  });
});
