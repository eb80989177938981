import { describe, expect, it } from 'vitest';
import { openApi } from '../../../shared/api/open-api.ts';
import { routes } from '../../../shared/api/routes.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; required: boolean }[];
  readonly responses: Record<string, unknown>;
}

describe('the OpenAPI document', () => {
  const paths = openApi(routes).paths as Record<string, Record<string, Operation>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );

  it('describes every route once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.sort()).toEqual(routes.map(({ name }) => name).sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('names every parameter of each path', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const described = operation.parameters.filter((parameter) => parameter.in === 'path');
      expect(described.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
      expect(described.every(({ required }) => required)).toBe(true);
      expect(described).toHaveLength(named.length);
    }
  });

  it('says what errors look like', () => {
    for (const { operation } of operations) expect(operation.responses).toHaveProperty('default');
  });
});
