import { get } from 'node:http';
import { connect } from 'node:net';
import type { HealthProbe } from './health-probe.ts';

/** An accepted connection that is still open after this long has somebody behind it; milliseconds. */
const OPEN_MS = 100;

/** Probes over the machines' network, with a connection of its own for each question. */
export const networkProbe: HealthProbe = {
  ask: ({ address, port, path }, timeout) =>
    path === undefined ? askTcp(address, port, timeout) : askHttp(address, port, path, timeout),
};

function askHttp(address: string, port: number, path: string, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout);
    const request = get({ host: address, port, path, agent: false, signal }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      const healthy = statusCode >= 200 && statusCode < 400;
      resolve(healthy ? undefined : `GET ${path} answered ${statusCode}`);
    });
    request.on('error', (error) =>
      resolve(
        signal.aborted ? `GET ${path} did not answer within ${timeout} ms` : `GET ${path}: ${error.message}`,
      ),
    );
  });
}

function askTcp(address: string, port: number, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (reason: string | undefined) => {
      socket.destroy();
      resolve(reason);
    };
    let accepted = false;
    socket.setTimeout(timeout);
    socket.on('timeout', () =>
      settle(accepted ? undefined : `port ${port} did not accept within ${timeout} ms`),
    );
    socket.on('error', (error) => settle(`port ${port}: ${error.message}`));
    socket.on('close', () => settle(`port ${port} closes connections`));
    socket.on('data', () => settle(undefined));
    socket.on('connect', () => {
      accepted = true;
      socket.setTimeout(OPEN_MS);
    });
  });
}
