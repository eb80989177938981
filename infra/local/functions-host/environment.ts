import { readFileSync } from 'node:fs';
import { Terminal } from '../../../shared/model/errors.ts';
import type { AppSettings } from './host-json.ts';
import type { Address, ServerCertificate } from './http/listeners.ts';

/**
 * What the host itself takes from its environment.
 * - `BERTH_HOST_LISTEN`: `address:port`, several with commas; IPv6 in brackets
 * - `BERTH_HOST_CERTIFICATE`, `BERTH_HOST_KEY`: PEM files; plain HTTP without
 * @throws Terminal that names the setting
 */
export function readEnvironment(environment: AppSettings): {
  addresses: readonly Address[];
  certificate?: ServerCertificate;
} {
  const listen = environment.BERTH_HOST_LISTEN;
  if (listen === undefined || listen === '')
    throw wrong('BERTH_HOST_LISTEN', 'is missing', 'Set it to address:port, for example 127.0.0.1:8443.');
  const addresses = listen.split(',').map(addressOf);
  const { BERTH_HOST_CERTIFICATE: certificateFile, BERTH_HOST_KEY: keyFile } = environment;
  if (certificateFile === undefined && keyFile === undefined) return { addresses };
  return {
    addresses,
    certificate: {
      certificate: contentOf('BERTH_HOST_CERTIFICATE', certificateFile),
      key: contentOf('BERTH_HOST_KEY', keyFile),
    },
  };
}

function addressOf(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw wrong('BERTH_HOST_LISTEN', `has '${text}'`, 'Write address:port, for example 127.0.0.1:8443.');
  return { host, port };
}

function contentOf(name: string, file: string | undefined): string {
  if (file === undefined || file === '')
    throw wrong(
      name,
      'is missing',
      'Set both BERTH_HOST_CERTIFICATE and BERTH_HOST_KEY to PEM files, or neither.',
    );
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw wrong(name, `names a file that cannot be read: ${file}`, 'Name a readable PEM file.', cause);
  }
}

const wrong = (name: string, what: string, remedy: string, cause?: unknown): Terminal =>
  new Terminal({ code: 'host-setting-invalid', message: `The setting ${name} ${what}.`, remedy, cause });
