import type { InsideOf } from '../docker/inside.ts';
import { type TarFile, tar } from '../docker/tar.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import type { Bundle, Door, IngressReplica } from './door.ts';

/** Milliseconds in which a replica must have taken a change. */
const APPLY_MS = 20_000;
/** Exit codes of the image's script `apply`. */
const NEEDS_CERTIFICATES = 10;
const REFUSED = 11;

/** By the engine of the replica's machine: files are copied into the container, then its own script takes them. */
export function engineDoor(insideOf: InsideOf): Door {
  const inside = ({ machine, address }: IngressReplica) => insideOf({ name: machine, address });
  const offer = async (
    replica: IngressReplica,
    bundle: Bundle,
    extra: readonly TarFile[],
  ): Promise<number> => {
    const { version, text, structure, commands } = bundle;
    const engine = await inside(replica);
    const file = (path: string, content: string): TarFile => ({ path: `${version}/${path}`, content });
    const files = [
      file('haproxy.cfg', text),
      file('structure', `${structure}\n`),
      file('commands', commands.map((command) => `${command}\n`).join('')),
      ...extra,
    ];
    await engine.put(replica.container, '/berth/incoming', tar(files));
    const { exitCode, output } = await engine.run(
      replica.container,
      ['/berth/apply', String(version)],
      APPLY_MS,
    );
    if (exitCode === 0 || exitCode === NEEDS_CERTIFICATES) return exitCode;
    const fault = {
      message: `The ingress on ${replica.machine} did not take version ${version} (exit code ${exitCode}): ${output.slice(-500)}`,
      remedy: 'It goes on with what it had; berth logs --environment berth ingress shows what it says.',
    };
    throw exitCode === REFUSED
      ? new Terminal({ code: 'proxy-refused', ...fault })
      : new Retryable({ code: 'proxy-not-changed', ...fault });
  };
  return {
    async apply(replica, bundle) {
      if ((await offer(replica, bundle, [])) === 0) return;
      const certificates = await bundle.certificates();
      const code = await offer(replica, bundle, [
        { path: `${bundle.version}/certificates/`, content: '', mode: 0o700 },
        ...certificates.map(({ name, pem }) => ({
          path: `${bundle.version}/certificates/${name}.pem`,
          content: pem,
          mode: 0o600,
        })),
      ]);
      if (code !== 0) throw new TypeError(`the ingress on ${replica.machine} asked for certificates twice`);
    },
    async leave(replica) {
      const engine = await inside(replica);
      await engine.run(replica.container, ['/berth/leave'], APPLY_MS);
    },
    async drained(replica, servers, seconds) {
      const whole = Math.ceil(seconds);
      const engine = await inside(replica);
      const command = ['/berth/drained', String(whole), ...servers];
      const { exitCode } = await engine.run(replica.container, command, whole * 1000 + APPLY_MS);
      return exitCode === 0;
    },
  };
}
