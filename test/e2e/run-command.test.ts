import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf } from '../../infra/local/supervisor/files.ts';
import { type Person, personAt } from '../support/command-line.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';

const obstacle = await noMachines();

describe.skipIf(obstacle !== undefined)(
  `berth machine run${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    let person: Person;
    let folder: string;

    beforeAll(async () => {
      centre = await startTestDataCentre();
      folder = mkdtempSync(join(tmpdir(), 'berth-run-'));
      const { dataCentre, keys } = centre.running;
      person = personAt(join(folder, 'home'), {
        url: `https://${dataCentre.gateway}:${dataCentre.ports.app}`,
        key: keys.admin,
        caFile: join(filesOf(dataCentre.directory).ca, 'ca.pem'),
      });
      await person.berthSays('machine', 'create', 'box');
    });
    afterAll(async () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      if (centre !== undefined) {
        console.log(centre.logs());
        await centre.close();
      }
    });
    const vm = async () => (await centre.machines()).find((name) => name.startsWith('box')) ?? '';

    it('ends with the exit code of the command, and shows both of its streams', async () => {
      const said = await person.berth('machine', 'run', 'box', '--', 'id -un; hostname; echo oh >&2; exit 3');
      expect(said).toEqual({ code: 3, stdout: `root\n${await vm()}\n`, stderr: 'oh\n' });
      const exact = await person.berth(
        'machine',
        'run',
        'box',
        '--',
        'printf',
        '%s|',
        'a b',
        "it's",
        '$HOME',
      );
      expect(exact).toMatchObject({ code: 0, stdout: "a b|it's|$HOME|" });
    });

    it('keeps all of the output of a script, which ARM would cut at 4 KB', async () => {
      const script = join(folder, 'many.sh');
      writeFileSync(script, '#!/bin/bash\nfor n in $(seq 1 20000); do echo "$word $secret $n"; done\n');
      const args = ['--script', script, '-p', 'word=line', '--protected-parameter', 'secret=swordfish'];
      const said = await person.berth('machine', 'run', 'box', ...args, '--timeout', '5m');
      const lines = said.stdout.trimEnd().split('\n');
      expect(lines.length).toBe(20_000);
      expect(lines[19_999]).toBe('line swordfish 20000');
      const list = await person.berthSays('machine', 'runs', 'box');
      expect(list).toMatch(/succeeded +many\.sh \(3 lines\)/);
      expect(list).not.toContain('swordfish');
      const id = /^(\S+\.box)/m.exec(list.split('\n')[1] ?? '')?.[1] ?? '';
      expect((await person.berth('machine', 'run', '--log', id)).stdout).toBe(said.stdout);
    });

    it('is followed while it runs, and ended when it is canceled', async () => {
      const script = join(folder, 'slow.sh');
      writeFileSync(script, 'echo first\nuntil [ -e /tmp/go ]; do sleep 0.1; done\necho second\nsleep 600\n');
      const id = (await person.berthSays('machine', 'run', 'box', '--script', script, '-d')).trim();
      const watching = person.berth('machine', 'run', '--log', id);
      const output = () =>
        centre.fetch('GET', `/api/v1/machine-runs/${id}/output`).then((answer) => answer.json());
      const text = async () => {
        const { stdout } = (await output()) as { stdout: { data: string } };
        return Buffer.from(stdout.data, 'base64').toString();
      };
      await until('the first line is there', async () => (await text()) === 'first\n');
      await centre.shell(await vm(), 'touch /tmp/go');
      await until('the second is', async () => (await text()) === 'first\nsecond\n');
      await person.berthSays('machine', 'run', '--cancel', id);
      expect(await watching).toMatchObject({
        code: 130,
        stdout: 'first\nsecond\n',
        stderr: expect.stringContaining('canceled by'),
      });
      await until('its processes are gone', async () => {
        return (await centre.shell(await vm(), 'pgrep -f "sleep [6]00" | wc -l')).trim() === '0';
      });
    });

    it('is ended after its time', async () => {
      const said = await person.berth(
        'machine',
        'run',
        'box',
        '--timeout',
        '1s',
        '--',
        'echo begun; sleep 600',
      );
      expect(said).toMatchObject({ code: 124, stdout: 'begun\n' });
      expect(said.stderr).toContain('did not end within 1 s');
    });

    it('takes the settings of the CustomScript extension as they are', async () => {
      const settings = join(folder, 'settings.json');
      const hidden = join(folder, 'protected.json');
      writeFileSync(settings, JSON.stringify({ timestamp: 1 }));
      writeFileSync(hidden, JSON.stringify({ commandToExecute: 'pwd; echo done; exit 4' }));
      const said = await person.berth(
        'machine',
        'run',
        'box',
        '--settings',
        settings,
        '--protected-settings',
        hidden,
      );
      expect(said).toMatchObject({ code: 4, stdout: '/var/lib/waagent/custom-script/download/0\ndone\n' });
    });

    it('leaves nothing in ARM', async () => {
      await until('the run commands are deleted', async () => {
        const runs = (await (await centre.fetch('GET', '/api/v1/machine-runs')).json()) as {
          runs: { removed: boolean }[];
        };
        return runs.runs.length >= 6 && runs.runs.every(({ removed }) => removed);
      });
      const left = 'find /var/lib/waagent/run-command-handler/download -mindepth 2 | wc -l';
      expect(await centre.shell(await vm(), left)).toBe('0\n');
    });
  },
);
