import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appCredential } from '../../infra/local/identity/app-credential.ts';
import { filesOf } from '../../infra/local/supervisor/files.ts';
import { hmacSha256 } from '../../shared/events/hmac.ts';
import { Run } from '../../shared/model/job.ts';
import { RefusedImage, Replica, RolloutStatus } from '../../shared/model/service.ts';
import { personAt } from '../support/command-line.ts';
import { until } from '../support/conditions.ts';
import { statementBundle } from '../support/cosign.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';

const obstacle = await noMachines();
const SERVICE = '/api/v1/environments/dev/services/hello/web';
const RUNS = '/api/v1/environments/dev/jobs/hello/greet/runs';
const Service = z.object({
  service: z.object({
    revision: z.number().optional(),
    healthyRevision: z.number().optional(),
    rollout: RolloutStatus,
    refused: RefusedImage.optional(),
  }),
  replicas: z.array(Replica),
});
const Runs = z.object({ runs: z.array(Run) });
const Pushed = z.object({ source: z.string(), type: z.string(), data: z.object({ digest: z.string() }) });

describe.skipIf(obstacle !== undefined)(
  `the main job${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    let addresses: readonly string[];

    beforeAll(async () => {
      centre = await startTestDataCentre();
      addresses = await centre.mainJob();
    });
    afterAll(async () => {
      if (centre !== undefined) {
        console.log(centre.logs());
        await centre.close();
      }
    });

    const service = () => centre.call(Service, 'GET', SERVICE);
    const runs = async () => (await centre.call(Runs, 'GET', RUNS)).runs;
    const answers = async (address: string) =>
      (await fetch(address, { signal: AbortSignal.timeout(5_000) })).text();
    const settled = () =>
      until('the rollout is over', async () => {
        const found = await service();
        return found.service.rollout.state === 'done' || found.service.rollout.state === 'failed'
          ? found
          : undefined;
      });
    /** A run that was not there before has ended. */
    const newRun = (before: readonly Run[]) =>
      until('a new run has ended', async () => {
        const known = new Set(before.map(({ id }) => id));
        return (await runs()).find(
          ({ id, status }) => !known.has(id) && (status.state === 'succeeded' || status.state === 'failed'),
        );
      });

    /** Gives a session all of its input, and reads it to its end. */
    const session = async (kind: 'exec' | 'tunnel', more: object, bytes: string) => {
      const id = randomUUID().replaceAll('-', '');
      await centre.call(z.unknown(), 'POST', `${SERVICE}/${kind}`, { session: id, ...more });
      await centre.call(z.unknown(), 'POST', `/api/v1/sessions/${id}/input`, { at: 0, bytes, end: true });
      const text = await (await centre.fetch('GET', `/api/v1/sessions/${id}/output`)).text();
      const pieces = [...text.matchAll(/"bytes":"([^"]*)"/g)].map((match) =>
        Buffer.from(match[1] ?? '', 'base64'),
      );
      const code = /"code":(\d+|null)/.exec(text)?.[1];
      return { output: Buffer.concat(pieces), code: Number(code) };
    };

    it('runs two replicas on one machine, each at its own port', async () => {
      expect(addresses.length).toBe(2);
      expect(new Set(addresses).size).toBe(2);
      for (const address of addresses) expect(await answers(address)).toContain('hello from');
      expect((await centre.machines()).length).toBe(1);
    });

    it('updates one replica at a time by a policy, without a failed request', async () => {
      const path = '/api/v1/environments/dev/services/rolling/web';
      const found = () => centre.call(Service, 'GET', path);
      const deploy = (version: string) =>
        centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/rolling', {
          name: 'rolling',
          services: {
            web: {
              image: 'hello/web:latest',
              replicas: 2,
              port: 8080,
              health: { path: '/' },
              resources: { cpu: 0.05, memory: 16 },
              environment: { VERSION: version },
              rollout: { surge: 1 },
            },
          },
        });
      const done = (revision: number) =>
        until(`revision ${revision} is done`, async () => {
          const { service } = await found();
          return service.healthyRevision === revision && service.rollout.state === 'done';
        });
      await deploy('1');
      await done(1);
      let going = true;
      let asked = 0;
      const most: number[] = [];
      // Requests to what the API lists as healthy, as whoever sends some does.
      const requests = (async () => {
        while (going) {
          const { replicas } = await found();
          most.push(replicas.length);
          for (const { status, address, port } of replicas)
            if (status.state === 'healthy') {
              asked += 1;
              const answer = await fetch(`http://${address}:${port}/`, {
                signal: AbortSignal.timeout(5_000),
              });
              expect([answer.status, (await answer.text()).length > 0]).toEqual([200, true]);
            }
        }
      })();
      await deploy('2');
      await done(2).finally(() => {
        going = false;
      });
      await requests;
      expect(asked).toBeGreaterThan(4);
      expect(Math.max(...most)).toBeLessThanOrEqual(3);
      await centre.call(z.unknown(), 'DELETE', '/api/v1/environments/dev/applications/rolling');
    });

    it('gives containers a volume, a config, a secret and a sidecar, through an update; the secret is nowhere else', async () => {
      const canary = `canary-${randomUUID()}`;
      const put = (path: string, body: unknown) =>
        centre.call(z.unknown(), 'PUT', `/api/v1/environments/dev/${path}`, body);
      await put('secrets/pw', { value: canary });
      const resources = { cpu: 0.05, memory: 16 };
      const deploy = (content: string) =>
        put('applications/parts', {
          name: 'parts',
          services: {
            store: {
              image: 'library/busybox',
              command: [
                'sh',
                '-c',
                'echo "$(cat /etc/app.conf) $(wc -c < "$PW_FILE") $(ls -ln "$PW_FILE" | cut -d" " -f1)" >> /data/log; exec httpd -f -p 8080 -h /data',
              ],
              port: 8080,
              health: { path: '/log' },
              stopGrace: 1,
              readOnly: true,
              resources,
              volumes: ['data:/data'],
              configs: [{ config: 'app.conf', target: '/etc/app.conf' }],
              secrets: [{ secret: 'pw', env: 'PW_FILE' }],
              sidecars: {
                // In the service's network it finds it at its own address, and in its volume it leaves what it saw.
                watch: {
                  image: 'library/busybox',
                  command: [
                    'sh',
                    '-c',
                    'until wget -qO /data/seen http://127.0.0.1:8080/log; do sleep 0.2; done; sleep 3600',
                  ],
                  resources,
                  volumes: ['data:/data'],
                },
              },
            },
          },
          volumes: { data: {} },
          configs: { 'app.conf': { content } },
        });
      const path = '/api/v1/environments/dev/services/parts/store';
      const serving = (revision: number) =>
        until(`revision ${revision} serves`, async () => {
          const { service: found, replicas } = await centre.call(Service, 'GET', path);
          if (found.rollout.state === 'failed') throw new Error(JSON.stringify(found.rollout));
          return found.healthyRevision === revision ? replicas : undefined;
        });
      const read = ([replica]: readonly Replica[], file: string) =>
        until(`${file} is there`, async () => {
          const answer = await fetch(`http://${replica?.address}:${replica?.port}/${file}`);
          return answer.ok ? await answer.text() : undefined;
        });
      await deploy('first');
      const first = await serving(1);
      const line = (words: string) => `${words} ${canary.length} -r--------\n`;
      expect(await read(first, 'log')).toBe(line('first'));
      expect(await read(first, 'seen')).toBe(line('first'));
      await deploy('second');
      const second = await serving(2);
      expect(await read(second, 'log')).toBe(`${line('first')}${line('second')}`);
      expect(second[0]?.machine).toBe(first[0]?.machine);
      const machine = String(second[0]?.machine);
      const names = (await centre.shell(machine, 'docker ps -a --format "{{.Names}}"')).split('\n');
      expect(names.filter((name) => name.startsWith('dev.parts.')).sort()).toEqual([
        expect.stringMatching(/^dev\.parts\.store\.r2\.0\.g\d+$/),
        expect.stringMatching(/^dev\.parts\.store\.r2\.0\.g\d+\.watch$/),
      ]);
      expect(await centre.shell(machine, 'stat -f -c %T /run/berth/files')).toBe('tmpfs\n');
      expect(await centre.shell(machine, `grep -rlF ${canary} /run/berth/files`)).toContain('/own/1');
      expect(
        await centre.shell(
          machine,
          `(docker inspect $(docker ps -aq); grep -rlF ${canary} /var/lib/docker) | grep -cF ${canary} || true`,
        ),
      ).toBe('0\n');
      const { directory } = centre.running.dataCentre;
      const stored = execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$0" || true', directory, canary], {
        encoding: 'utf8',
      });
      expect(stored).toBe('');
      await centre.call(z.unknown(), 'DELETE', '/api/v1/environments/dev/applications/parts');
      await until('its containers are gone', async () => {
        const left = await centre.shell(
          machine,
          'docker ps -aq --filter label=berth.service=dev.parts.store',
        );
        return left.trim() === '' ? true : undefined;
      });
      expect(await centre.shell(machine, 'docker volume ls -q')).toContain('dev.parts.data.0');
      await centre.call(z.unknown(), 'DELETE', '/api/v1/environments/dev/volumes/parts/data/0');
      expect(await centre.shell(machine, 'docker volume ls -q')).not.toContain('dev.parts.data.0');
    });

    it('takes a compose file: builds, pushes, deploys, in order, with a check in the container and a file', async () => {
      const { dataCentre, engine, keys } = centre.running;
      const folder = mkdtempSync(join(tmpdir(), 'berth-composed-'));
      const person = personAt(folder, {
        url: `https://${dataCentre.gateway}:${dataCentre.ports.app}`,
        key: keys.admin,
        caFile: join(filesOf(dataCentre.directory).ca, 'ca.pem'),
      });
      const limits = 'deploy: {resources: {limits: {cpus: "0.1", memory: 32M}}}';
      writeFileSync(join(folder, 'page.html'), 'composed by hand\n');
      writeFileSync(
        join(folder, 'Dockerfile'),
        'ARG BASE\nFROM $BASE/busybox\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n',
      );
      writeFileSync(
        join(folder, 'compose.yaml'),
        `services:
  page:
    build: {context: ., args: {BASE: ${centre.registry}/library}}
    ports: ["8080"]
    volumes: ["./page.html:/www/index.html:ro"]
    healthcheck: {test: wget -q -O /dev/null http://127.0.0.1:8080/, interval: 1s}
    depends_on: [store]
    stop_grace_period: 1s
    ${limits}
  store:
    image: library/busybox
    command: sleep 100000
    stop_signal: SIGKILL
    ${limits}
`,
      );
      const said = await person.bash(`cd '${folder}' && berth deploy -p composed --timeout 120`, {
        DOCKER_HOST: `unix://${engine.socket}`,
      });
      expect([said.code, said.stderr]).toEqual([0, expect.stringContaining('Taking compose.yaml.')]);
      const address = /composed\/page\/\S+ +(\S+)/.exec(said.stdout)?.[1];
      expect(await answers(address ?? said.stdout)).toBe('composed by hand\n');
      await centre.call(z.unknown(), 'DELETE', '/api/v1/environments/dev/applications/composed');
      rmSync(folder, { recursive: true, force: true });
    });

    it('applies exactly what was planned: one on each machine, at a port of the machine, and says why there', async () => {
      const { dataCentre, keys } = centre.running;
      const folder = mkdtempSync(join(tmpdir(), 'berth-planned-'));
      const person = personAt(folder, {
        url: `https://${dataCentre.gateway}:${dataCentre.ports.app}`,
        key: keys.admin,
        caFile: join(filesOf(dataCentre.directory).ca, 'ca.pem'),
      });
      const file = join(folder, 'berth.yaml');
      const plan = join(folder, 'plan.json');
      writeFileSync(
        file,
        `name: edge
services:
  agent:
    image: library/busybox
    command: ["httpd", "-f", "-p", "8080", "-h", "/etc"]
    mode: one-per-machine
    ports: [{machine: 9100, container: 8080}]
    resources: {cpu: 0.1, memory: 32}
    stopGrace: 0
`,
      );
      const planned = await person.berth('plan', file, '--out', plan, '--detailed-exitcode');
      expect([planned.code, planned.stdout]).toEqual([10, expect.stringMatching(/agent\/0 {2}default-/)]);
      expect(await person.berth('apply', plan, '--timeout', '60')).toMatchObject({ code: 0 });
      const [replica] = JSON.parse(await person.berthSays('ps', 'edge', '--json')) as Replica[];
      expect(await answers(`http://${replica?.address}:9100/passwd`)).toContain('root:');
      expect(await person.berthSays('why', 'agent')).toContain(`It runs on ${replica?.machine}.`);
      expect(await person.berth('apply', plan)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no longer holds'),
      });
      expect(await person.berth('remove', 'edge', '--yes', '--no-wait')).toMatchObject({ code: 0 });
      rmSync(folder, { recursive: true, force: true });
    });

    it('rolls out a second push, and keeps two replicas', async () => {
      await centre.push('2');
      const replicas = await until('version 2 answers', async () => {
        const { service: found, replicas: all } = await service();
        if (found.rollout.state !== 'done' || found.revision !== found.healthyRevision) return undefined;
        const healthy = all.filter(({ status }) => status.state === 'healthy');
        const texts = await Promise.all(
          healthy.map(({ address, port }) => answers(`http://${address}:${port}/`)),
        );
        return healthy.length === 2 && texts.every((text) => text.includes('version 2'))
          ? healthy
          : undefined;
      });
      expect(replicas.length).toBe(2);
      expect((await centre.machines()).length).toBe(1);
    });

    it('keeps the old revision serving when the new one ends at once, and says why', async () => {
      const before = await service();
      await centre.docker.run(
        ['build', '--tag', `${centre.registry}/hello/web:latest`, '-'],
        undefined,
        `FROM ${centre.registry}/library/busybox\nCMD ["/bin/sh", "-c", "echo broken on purpose; exit 7"]\n`,
      );
      await centre.docker.run(['push', `${centre.registry}/hello/web:latest`]);
      const after = await until('the rollout failed', async () => {
        const found = await service();
        return found.service.rollout.state === 'failed' ? found : undefined;
      });
      expect(after.service.rollout).toMatchObject({
        state: 'failed',
        exitCode: 7,
        lastLines: ['broken on purpose'],
      });
      expect(after.service.healthyRevision).toBe(before.service.healthyRevision);
      const healthy = after.replicas.filter(({ status }) => status.state === 'healthy');
      expect(healthy.length).toBe(2);
      for (const { address, port } of healthy)
        expect(await answers(`http://${address}:${port}/`)).toContain('version 2');
      await centre.push('3');
      await until('version 3 is out', async () => {
        const { service: found } = await service();
        return found.rollout.state === 'done' && found.revision === found.healthyRevision;
      });
    });

    it('starts a replica again that was killed by hand', async () => {
      const { replicas } = await service();
      const victim = replicas.find(({ status }) => status.state === 'healthy');
      await centre.shell(victim!.machine, `docker kill ${victim!.containerId}`);
      await until('two replicas are healthy, and another container is one of them', async () => {
        const healthy = (await service()).replicas.filter(({ status }) => status.state === 'healthy');
        const fresh = healthy.some(({ slot, generation, containerId }) => {
          return (
            slot === victim!.slot && (generation > victim!.generation || containerId !== victim!.containerId)
          );
        });
        return healthy.length === 2 && fresh;
      });
    });

    it('is worked with: commands, a one-off container, files, a tunnel, and the logs of what is gone', async () => {
      const input = Buffer.from([0, 255, 10, 13]).toString('base64');
      const ran = await session('exec', { command: ['sh', '-c', 'cat; exit 5'], stdin: true }, input);
      expect([ran.output.toString('base64'), ran.code]).toEqual([input, 5]);

      const { run } = await centre.call(z.object({ run: z.string() }), 'POST', `${SERVICE}/runs`, {
        command: ['sh', '-c', 'echo once; exit 3'],
      });
      const place = `/api/v1/environments/dev/jobs/hello/web/runs/${run}`;
      await until(
        'it has ended',
        async () => (await centre.call(Run, 'GET', place)).status.state === 'failed',
      );
      expect((await centre.call(Run, 'GET', place)).status).toMatchObject({ exitCode: 3 });
      expect(await (await centre.fetch('GET', `${place}/logs`)).text()).toContain('"text":"once"');

      const archive = await centre.fetch('GET', `${SERVICE}/archive?path=/www/index.html`);
      expect(await archive.text()).toContain('hello from');

      const request = Buffer.from('GET / HTTP/1.0\r\n\r\n').toString('base64');
      expect((await session('tunnel', {}, request)).output.toString()).toContain('hello from');

      // Replicas of version 1 are long gone.
      const logs = await centre.fetch('GET', '/api/v1/environments/dev/logs?application=hello&service=web');
      expect(await logs.text()).toMatch(/hello from .*, version 1/);
    });

    describe('events', () => {
      it('a signed webhook runs a job, once, however often it is delivered', async () => {
        const Made = z.object({ secret: z.string() });
        const command = { type: 'run-job', application: 'hello', job: 'greet' };
        const { secret } = await centre.call(Made, 'PUT', '/api/v1/hooks/greetings', {
          signature: 'standard-webhooks',
          command,
        });
        const before = await runs();
        const timestamp = String(Math.floor(Date.now() / 1000));
        const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
        const mac = await hmacSha256(key, Buffer.from(`m1.${timestamp}.{}`));
        const headers = {
          'webhook-id': 'm1',
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${Buffer.from(mac).toString('base64')}`,
        };
        const deliver = (change: Record<string, string> = {}) =>
          centre.fetch('POST', '/api/hooks/greetings', { body: '{}', headers: { ...headers, ...change } });
        expect((await deliver({ 'webhook-signature': 'v1,AAAA' })).status).toBe(401);
        expect((await deliver()).status).toBe(202);
        const run = await newRun(before);
        expect(run.status).toMatchObject({ state: 'succeeded' });
        expect(await (await deliver()).json()).toMatchObject({ status: 'duplicate' });
        expect((await runs()).length).toBe(before.length + 1);
      });

      it('what is done in the registry comes to the topic, in the session of its repository', async () => {
        await centre.call(z.unknown(), 'PUT', '/api/v1/registry/subscriptions/bus', {
          repositories: ['hello/*'],
          actions: ['push', 'pull'],
          sink: { kind: 'service-bus', topic: 'registry-events' },
        });
        // Every instance knows it after three seconds: the first push that is heard of tells that.
        const { dataCentre } = centre.running;
        const client = new ServiceBusClient('localhost', appCredential(dataCentre), {
          customEndpointAddress: `https://localhost:${dataCentre.ports.serviceBus}`,
        });
        try {
          let version = 100;
          const digest = await until('a push waits in the topic', async () => {
            version += 1;
            const pushed = await centre.push(String(version));
            const peeking = client.createReceiver('registry-events', 'all');
            const there = await peeking.peekMessages(1).finally(() => peeking.close());
            return there.length > 0 && pushed;
          });
          const session = await client.acceptSession('registry-events', 'all', 'hello/web');
          const found = await until('it is received', async () => {
            const messages = await session.receiveMessages(10, { maxWaitTimeInMs: 1_000 });
            for (const message of messages) await session.completeMessage(message);
            const events = messages.map(({ body }) => Pushed.parse(body));
            return events.find(({ type, data }) => type.endsWith('.push') && data.digest === digest);
          });
          expect(found.source).toBe('registry/hello/web');
          await session.close();
        } finally {
          await client.close();
          await centre.call(z.unknown(), 'DELETE', '/api/v1/registry/subscriptions/bus');
        }
      });

      it('a message on the Service Bus queue runs a job; a bad one becomes a dead letter with its reason, and is replayed', async () => {
        const { dataCentre } = centre.running;
        const client = new ServiceBusClient('localhost', appCredential(dataCentre), {
          customEndpointAddress: `https://localhost:${dataCentre.ports.serviceBus}`,
        });
        try {
          const sender = client.createSender('commands');
          const before = await runs();
          const id = randomUUID();
          await sender.sendMessages({
            messageId: id,
            body: { type: 'run-job', application: 'hello', job: 'greet' },
          });
          expect((await newRun(before)).status.state).toBe('succeeded');
          await sender.sendMessages({ messageId: 'bad', body: { type: 'explode' } });
          const letter = await deadLetter('service-bus');
          expect(letter.reason).toBe('command-type-unknown');
        } finally {
          await client.close();
        }
      });

      it('a message on the storage queue runs a job; a bad one becomes a dead letter too', async () => {
        const { dataCentre } = centre.running;
        const { gateway, ports, storageAccount } = dataCentre;
        const queue = new QueueClient(
          `https://${gateway}:${ports.queue}/${storageAccount}/commands`,
          appCredential(dataCentre),
        );
        const before = await runs();
        await queue.sendMessage(JSON.stringify({ type: 'run-job', application: 'hello', job: 'greet' }));
        expect((await newRun(before)).status.state).toBe('succeeded');
        await queue.sendMessage('{ not json');
        expect((await deadLetter('storage')).reason).toBe('command-malformed');
        const Replayed = z.object({ replayed: z.number() });
        const { replayed } = await centre.call(Replayed, 'POST', '/api/v1/deadletters/replay', {
          ids: 'all',
        });
        expect(replayed).toBeGreaterThanOrEqual(2);
      });

      it('a timer runs a scheduled job', async () => {
        const before = await runs();
        const application = {
          name: 'hello',
          services: { web: { image: 'hello/web:latest', replicas: 2, port: 8080, health: { path: '/' } } },
          jobs: {
            greet: {
              image: 'hello/web:latest',
              command: ['echo', 'on time'],
              schedule: { cron: '*/5 * * * * *' },
            },
          },
        };
        await centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', application);
        const run = await newRun(before);
        expect(run.status).toMatchObject({ state: 'succeeded', lastLines: ['on time'] });
        expect(run.cause).toContain('schedules/dev.hello.greet');
        await settled();
      });

      const deadLetter = (queue: string) => {
        const DeadLetters = z.object({
          deadLetters: z.array(z.looseObject({ queue: z.string(), reason: z.string() })),
        });
        return until(`a dead letter of ${queue}`, async () =>
          (await centre.call(DeadLetters, 'GET', '/api/v1/deadletters')).deadLetters.find(
            (letter) => letter.queue === queue,
          ),
        );
      };
    });

    it('does not roll out what nobody signed, says why, and does once it is signed', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const policy = '/api/v1/registry/policies/signed';
      await centre.call(z.unknown(), 'PUT', policy, {
        repositories: 'hello/**',
        trust: [{ signedBy: [{ publicKey: publicKey.export({ type: 'spki', format: 'pem' }) }] }],
      });
      const before = await settled();
      const digest = await centre.push('signed');
      const refused = await until('the push is refused', async () => {
        const { service: found } = await service();
        return found.refused?.digest === digest ? found : undefined;
      });
      expect(refused.refused?.reasons).toEqual([
        expect.stringMatching(/^It needs a signature by the key [0-9a-f]{16}: none was found\.$/),
      ]);
      expect(refused).toMatchObject({ revision: before.service.revision, rollout: { state: 'done' } });
      await centre.pushReferrer('hello/web', digest, statementBundle(digest, { key: privateKey }));
      await until('it is out', async () => {
        const { service: found, replicas } = await service();
        if (found.refused !== undefined || found.rollout.state !== 'done') return false;
        const healthy = replicas.filter(({ status }) => status.state === 'healthy');
        const texts = await Promise.all(
          healthy.map(({ address, port }) => answers(`http://${address}:${port}/`)),
        );
        return healthy.length === 2 && texts.every((text) => text.includes('version signed'));
      });
      await centre.call(z.unknown(), 'DELETE', policy);
    });

    it('runs a copy that it fetches from another registry, imports an image from there, and keeps one alike there', async () => {
      // The other registry is this one under its own address: with its certificate, its token server and a key.
      const { dataCentre, keys } = centre.running;
      const url = `https://${dataCentre.gateway}:${dataCentre.ports.app}`;
      const credential = { username: 'berth', password: keys.admin };
      const put = (path: string, body: unknown) => centre.call(z.unknown(), 'PUT', path, body);
      await put('/api/v1/registry/sources/copies', { prefix: 'copies', upstream: { url }, credential });
      const web = { image: 'copies/hello/web:latest', port: 8080, health: { path: '/' } };
      await put('/api/v1/environments/dev/applications/copied', { name: 'copied', services: { web } });
      const copied = '/api/v1/environments/dev/services/copied/web';
      const running = (text: string) =>
        until(`the copy runs ${text}`, async () => {
          const { service: found, replicas } = await centre.call(Service, 'GET', copied);
          const healthy = replicas.find(({ status }) => status.state === 'healthy');
          if (found.rollout.state !== 'done' || healthy === undefined) return undefined;
          const answer = await answers(`http://${healthy.address}:${healthy.port}/`);
          return answer.includes(text) ? found : undefined;
        });
      await running('hello from');

      await put('/api/v1/registry/replications/replica', {
        repositories: ['hello/**'],
        registry: { url },
        path: 'replica',
        credential,
      });
      const digest = await centre.push('copied');
      const Results = z.object({ results: z.array(z.object({ outcome: z.string(), digest: z.string() })) });
      const wanted = { repository: 'copies/hello/web', tag: 'latest' };
      expect((await centre.call(Results, 'POST', '/api/v1/registry/refresh', wanted)).results).toMatchObject([
        { outcome: 'moved', digest },
      ]);
      await running('version copied');

      const imported = await centre.call(
        z.object({ location: z.string() }),
        'POST',
        '/api/v1/images/imports',
        {
          from: `${new URL(url).host}/hello/web:latest`,
          to: { repository: 'imported/web', tag: 'v1' },
        },
      );
      const Import = z.object({ result: z.looseObject({ state: z.string() }).optional() });
      const ended = await until(
        'the import has ended',
        async () => (await centre.call(Import, 'GET', imported.location)).result,
      );
      expect(ended).toMatchObject({ state: 'done', digest });
      const Images = z.object({ images: z.array(z.looseObject({ tag: z.string(), digest: z.string() })) });
      for (const repository of ['imported/web', 'replica/hello/web'])
        await until(`${repository} is there`, async () => {
          const answer = await centre.fetch(
            'GET',
            `/api/v1/images?repository=${encodeURIComponent(repository)}`,
          );
          if (answer.status === 404) return false;
          return Images.parse(await answer.json()).images.some((image) => image.digest === digest);
        });
      for (const path of ['sources/copies', 'replications/replica'])
        await centre.call(z.unknown(), 'DELETE', `/api/v1/registry/${path}`);
    });

    it('refuses an unknown image and a malformed application with what to do', async () => {
      const malformed = await centre.fetch('PUT', '/api/v1/environments/dev/applications/x', {
        body: 'name: x\nservices:\n  web:\n    image: a\n    replica: 2\n',
        headers: { 'content-type': 'application/yaml' },
      });
      expect(malformed.status).toBe(400);
      const problem = (await malformed.json()) as { issues?: unknown[]; errors?: unknown[] };
      expect(JSON.stringify(problem)).toContain('replica');
      expect(JSON.stringify(problem)).toContain('"line":5');
    });
  },
);
