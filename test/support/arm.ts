import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type ArmOptions, type RunningArm, startArm } from '../../infra/local/arm/start-arm.ts';
import { memoryMachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.memory.ts';
import type { MachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import {
  issueServerCertificate,
  type ServerCertificate,
} from '../../infra/local/platform-ca/server-certificate.ts';

export const SUBSCRIPTION = '11111111-2222-4333-8444-555555555555';
export const TENANT = '99999999-2222-4333-8444-555555555555';
export const GROUP = 'berth-machines';
export const SUBNET = '10.77.0.0/16';

/** Azure's API documents; tests that need them skip where they are not there. */
export const SPECS = fileURLToPath(new URL('../../../shared/reference/azure-specs', import.meta.url));

/** Accepts the token `valid` for ARM's audience. */
export const credential = {
  getToken: async () => ({ token: 'valid', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

export interface TestArm extends RunningArm {
  readonly runtime: MachineRuntime;
  readonly settings: {
    readonly subscription: string;
    readonly resourceGroup: string;
    readonly location: string;
    readonly network: string;
    readonly appNetwork: string;
    readonly armEndpoint: string;
  };
  /** A request as it is: path without the endpoint, answer with parsed JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Closes it and starts another on the same database and machines. */
  restart(): Promise<TestArm>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
}

export interface TestArmOptions
  extends Partial<
    Pick<
      ArmOptions,
      'events' | 'publicAddress' | 'quota' | 'nicReservationMs' | 'now' | 'specs' | 'subnet' | 'gateway'
    >
  > {
  readonly runtime?: MachineRuntime;
}

let certificates: Promise<ServerCertificate> | undefined;

/** A certificate for 127.0.0.1 that this process trusts; one for all tests of the process. */
function trustedCertificate(): Promise<ServerCertificate> {
  certificates ??= (async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-arm-ca-'));
    const ca = await ensurePlatformCa(join(directory, 'ca'));
    const issued = await issueServerCertificate(ca, ['127.0.0.1'], join(directory, 'tls'));
    setDefaultCACertificates([...getCACertificates('default'), ca.certificatePem]);
    await rm(directory, { recursive: true });
    return issued;
  })();
  return certificates;
}

/** An ARM endpoint of its own for a test, over TLS that this process trusts. */
export async function startTestArm(options: TestArmOptions = {}): Promise<TestArm> {
  const { certificate, key } = await trustedCertificate();
  const directory = await mkdtemp(join(tmpdir(), 'berth-arm-'));
  const runtime = options.runtime ?? memoryMachineRuntime();

  const start = async (): Promise<TestArm> => {
    const running = await startArm({
      address: '127.0.0.1',
      port: 0,
      certificate,
      key,
      subscription: SUBSCRIPTION,
      tenant: TENANT,
      location: 'westeurope',
      resourceGroup: GROUP,
      subnet: SUBNET,
      gateway: '10.77.0.1',
      database: join(directory, 'arm.sqlite'),
      verify: async (token, audience) => {
        if (token !== 'valid' || audience !== 'https://management.azure.com/') throw new Error('not valid');
      },
      specs: SPECS,
      ...options,
      runtime,
    });
    let closed = false;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      await running.close();
    };
    return {
      ...running,
      runtime,
      settings: {
        subscription: SUBSCRIPTION,
        resourceGroup: GROUP,
        location: 'westeurope',
        network: options.subnet ?? SUBNET,
        appNetwork: `${options.gateway ?? '10.77.0.1'}/32`,
        armEndpoint: running.endpoint,
      },
      async call(method, path, body, headers = {}) {
        const url = new URL(path, running.endpoint);
        if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', '2024-07-01');
        const response = await fetch(url, {
          method,
          headers: { authorization: 'Bearer valid', 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        return {
          status: response.status,
          headers: response.headers,
          body: text === '' ? undefined : JSON.parse(text),
        };
      },
      async restart() {
        await close();
        return start();
      },
      async close() {
        await close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  };
  return start();
}
