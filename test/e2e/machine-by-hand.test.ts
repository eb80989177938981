import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBusyboxImage } from '../../infra/local/base-images/busybox.ts';
import { readAll } from '../../infra/local/machine-runtime/engine-api.ts';
import { filesOf } from '../../infra/local/supervisor/files.ts';
import { type Person, personAt } from '../support/command-line.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { cache, noMachines } from '../support/machines.ts';

const obstacle = await noMachines();

describe.skipIf(obstacle !== undefined)(
  `a machine by hand${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    let person: Person;
    let folder: string;

    beforeAll(async () => {
      centre = await startTestDataCentre();
      folder = mkdtempSync(join(tmpdir(), 'berth-person-'));
      const { dataCentre, keys } = centre.running;
      person = personAt(join(folder, 'home'), {
        url: `https://${dataCentre.gateway}:${dataCentre.ports.app}`,
        key: keys.admin,
        caFile: join(filesOf(dataCentre.directory).ca, 'ca.pem'),
      });
    });
    afterAll(async () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      if (centre !== undefined) {
        console.log(centre.logs());
        await centre.close();
      }
    });

    it('is shown before it is made, with its cost', async () => {
      const said = await person.berth('machine', 'create', 'box', '--dry-run', '--open-port', '8080');
      expect(said).toMatchObject({ code: 0, stderr: '' });
      expect(said.stdout).toMatch(/^box would be made so; nothing was made\.\n/);
      expect(said.stdout).toMatch(/costs +\$\d\.\d{4}\/h/);
      expect(await person.berthSays('machine', 'ls', '-q')).toBe('');
    });

    it('is made, and the user’s own docker works with it', async () => {
      expect(await person.berthSays('machine', 'create', 'box', '--open-port', '8080')).toContain(
        'box is ready at',
      );
      const busybox = join(folder, 'busybox.tar');
      const { api } = centre.running.engine;
      const image = await ensureBusyboxImage(api, { cache, report: () => {} });
      writeFileSync(busybox, await readAll(await api.stream('GET', `/images/${image}/get`)));
      const loaded = await person.bash(`docker context use berth-box && docker load -q -i ${busybox}`);
      expect(loaded).toMatchObject({ code: 0 });
      expect(await person.bash(`docker run --rm ${image} echo hello`)).toMatchObject({
        code: 0,
        stdout: 'hello\n',
      });
      expect(await person.berthSays('machine', 'active')).toBe('box\n');
      const through = await person.bash(
        `eval $(berth machine env box) && docker run -d --name keep ${image} sleep 3600 > /dev/null && docker ps --format '{{.Names}}' && docker $(DOCKER_HOST= berth machine config box) ps -q | wc -l`,
        { DOCKER_CONTEXT: 'default' },
      );
      expect(through).toMatchObject({ code: 0, stdout: 'keep\n1\n' });
    });

    it('is logged in to with host keys that it registered', async () => {
      expect(
        await person.berthSays('machine', 'ssh', 'box', '--', 'echo "$USER $((6 * 7))"; sudo id -un'),
      ).toBe('berth 42\nroot\n');
      expect((await person.berth('machine', 'ssh', 'box', 'exit 7')).code).toBe(7);
      const known = join(person.home, '.local/share/berth/machines');
      const file = (await person.bash(`find ${known} -name known_hosts`)).stdout.trim();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8')).toContain(
        await centre.shell(await vm(), "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub | tr -d '\\n'"),
      );
      // Somebody in between has another key, and is not believed.
      await centre.shell(
        await vm(),
        'ssh-keygen -q -t ed25519 -N "" -f /tmp/other && cp /tmp/other /etc/ssh/ssh_host_ed25519_key && rm /etc/ssh/ssh_host_ecdsa_key && systemctl restart ssh',
      );
      const refused = await person.berth('machine', 'ssh', 'box', 'true');
      expect(refused.code).toBe(255);
      expect(refused.stderr).toMatch(/host key/i);
      await centre.shell(
        await vm(),
        'ssh-keygen -y -f /tmp/other > /etc/ssh/ssh_host_ed25519_key.pub; rm -f /etc/ssh/ssh_host_ecdsa_key.pub',
      );
    });

    it('gets new certificates, and its new host key is known then', async () => {
      expect(await person.berthSays('machine', 'regenerate-certs', 'box')).toMatch(
        /^box has a new certificate/,
      );
      expect(await person.berthSays('machine', 'ssh', 'box', 'true')).toBe('');
      expect(await person.bash("docker ps --format '{{.Names}}'")).toMatchObject({
        code: 0,
        stdout: 'keep\n',
        stderr: '',
      });
    });

    it('gives and takes files', async () => {
      const [there, back] = [join(folder, 'a b'), join(folder, 'back')];
      writeFileSync(there, 'words');
      await person.berthSays('machine', 'scp', '-q', there, 'box:/tmp/c');
      await person.berthSays('machine', 'scp', '-q', 'box:/tmp/c', back);
      expect(readFileSync(back, 'utf8')).toBe('words');
      const missing = await person.berth('machine', 'scp', '-q', 'box:/tmp/none', back);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toMatch(/No such file/);
    });

    it('tells what its engine and its console said', async () => {
      expect(await person.berthSays('machine', 'logs', 'box', '--of', 'engine')).toContain(
        'Daemon has completed initialization',
      );
      expect(await person.berthSays('machine', 'console', 'box')).toContain('Cloud-init');
      expect(await person.berthSays('machine', 'upgrade', 'box')).toMatch(
        /^box(: | has the newest already: )\d+\./,
      );
    });

    it('is stopped and started, and is what it was', async () => {
      expect(await person.berthSays('machine', 'stop', 'box')).toMatch(
        /^box is stopped\. Still billed: its disk \(\$/,
      );
      expect(await person.berthSays('machine', 'status', 'box')).toBe('stopped\n');
      const away = await person.berth('machine', 'env', 'box');
      expect(away).toMatchObject({ code: 1, stdout: '' });
      expect(away.stderr).toContain('berth machine start box');
      await person.berthSays('machine', 'start', 'box');
      expect(await person.bash("docker ps -a --filter name=keep --format '{{.Names}}'")).toMatchObject({
        code: 0,
        stdout: 'keep\n',
      });
      await person.berthSays('machine', 'ssh', 'box', 'true');
    });

    it('is removed with everything, here and there', async () => {
      const unasked = await person.berth('machine', 'rm', 'box');
      expect(unasked.code).toBe(2);
      expect(unasked.stderr).toContain('berth machine rm -y box');
      const said = await person.berth('machine', 'rm', '-y', 'box');
      expect(said.code).toBe(0);
      expect(said.stderr).toContain('docker context use default');
      expect(await centre.machines()).toEqual([]);
      expect((await person.berth('machine', 'status', 'box')).code).toBe(3);
      expect((await person.bash('docker --context default context ls')).stdout).not.toContain('berth-box');
    });

    /** The only machine there is. */
    const vm = async (): Promise<string> => (await centre.machines())[0] ?? '';
  },
);
