import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import specification from '../../../../shared/compose/compose-spec.json' with { type: 'json' };
import { ApplicationSpec } from '../../../../shared/model/application.ts';
import { Invalid } from '../../../../shared/model/invalid.ts';
import { long } from '../../../support/sample.ts';
import { mappedOf } from '../mapped.ts';

/** Each case checks a schema of some thousand parts, twice. */
const runs = { numRuns: long ? 500 : 30 };

/** A file that says a little of everything. */
const whole = `
services:
  web:
    image: x
    build: {context: ., args: [A=1], secrets: [s], extra_hosts: ["a:1.2.3.4"]}
    command: [a, b]
    entrypoint: /e
    environment: {A: 1}
    ports: ["80:80", "53:53/udp", {target: 81}]
    expose: ["82"]
    volumes: ["data:/d", "/srv:/s:ro", {type: tmpfs, target: /t, tmpfs: {size: 10m}}]
    configs: [c]
    secrets: [{source: s, target: t, mode: 0400}]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, a], interval: 5s, retries: 3}
    deploy:
      replicas: 2
      update_config: {parallelism: 1, order: start-first, monitor: 5s}
      resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {devices: [{capabilities: [gpu], count: 1}]}}
      placement: {constraints: [node.labels.a == b], preferences: [{spread: node.labels.zone}]}
      restart_policy: {condition: any}
    networks: {n: {priority: 1}}
    logging: {driver: json-file, options: {max-size: 1m}}
    tmpfs: ["/run:size=1m"]
    ulimits: {nofile: {soft: 1, hard: 2}}
    extra_hosts: ["h:1.2.3.4"]
    security_opt: ["no-new-privileges:true"]
    sysctls: {net.core.somaxconn: 1}
    labels: {l: m}
    stop_grace_period: 5s
    x-berth: {routes: [{host: a.example}]}
  db: {image: y, restart: always}
networks: {n: {driver: bridge}}
volumes: {data: {}}
configs: {c: {content: hello}}
secrets: {s: {environment: S}}
`;

type Json = unknown;
type Step = string | number;

/** Every place in a document. */
function placesIn(value: Json, path: readonly Step[] = []): readonly (readonly Step[])[] {
  const below = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  return [path, ...below.flatMap(([step, item]) => placesIn(item, [...path, step]))];
}

function changed(value: Json, [step, ...rest]: readonly Step[], to: Json): Json {
  if (step === undefined) return to;
  const copy = structuredClone(value) as Record<Step, Json>;
  copy[step] = changed(copy[step], rest, to);
  return copy;
}

const original = parse(whole) as Json;
const places = placesIn(original).slice(1);
const keys = Object.keys(specification.definitions.service.properties);
const odd = fc.oneof(
  fc.constantFrom<Json>(
    null,
    '',
    ' ',
    'a',
    '0',
    -1,
    0,
    1.5,
    1e9,
    true,
    [],
    {},
    ['a'],
    [null],
    [{}],
    { a: null },
    { a: [] },
    '$$',
    '8080',
    'x:y:z',
    '1s',
    '5M',
    [[]],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Mapped, and then what the API takes; or refused with places. */
function isAnswered(document: Json): void {
  try {
    const { application } = mappedOf(stringify(document), { environment: { S: 's', HOME: '/home/me' } });
    const services = Object.fromEntries(
      Object.entries(application.services).map(([name, fields]) => [name, { ...fields, image: 'a/b:1' }]),
    );
    expect(ApplicationSpec.safeParse({ ...application, services }).success).toBe(true);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    expect(error.issues.length).toBeGreaterThan(0);
    for (const issue of error.issues)
      expect(issue).toMatchObject({ file: 'compose.yaml', line: expect.any(Number) });
  }
}

describe('any file is mapped to what the API takes, or refused with places', () => {
  it('the whole one', () => isAnswered(original));
  it('one of which something is something else', () =>
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, (place, value) =>
        isAnswered(changed(original, place, value)),
      ),
      runs,
    ));
  it('one with a key that says anything', () =>
    fc.assert(
      fc.property(fc.constantFrom(...keys), odd, (key, value) =>
        isAnswered(changed(original, ['services', 'db', key], value)),
      ),
      runs,
    ));
});
