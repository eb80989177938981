import { stringify } from 'yaml';
import { Terminal } from '../model/errors.ts';
import {
  bootReportUnit,
  engineInstallation,
  file,
  machineSoftware,
  machineUnits,
} from './machine-software.ts';

export interface CloudInitRequest {
  readonly machine: string;
  /** https address of the app, as the machine reaches it; no path. */
  readonly appUrl: string;
  /** The engine CA's certificate, PEM: whose clients the machine's engine admits. */
  readonly engineCaCertificate: string;
  /** CIDR of the machines' own network: the containers' network in a machine must be another. */
  readonly network: string;
  /** What it boots: reference of the marketplace, or a resource id. */
  readonly image: string;
  /** Whether the machine boots from an image that has engine and agent: a golden one. */
  readonly installed?: boolean;
  /** Whether it is its owner's Docker host: its engine then does what Docker does by itself. */
  readonly byHand?: boolean;
}

/** Azure: osProfile.customData holds at most 65,535 bytes before base64. */
const most = 65_535;

/**
 * The customData of a machine: cloud-init installs Docker from the image's own distribution, which starts on 2376
 * with mutual TLS once the machine is registered; where it is installed already, only what is the machine's own is
 * written. It holds no secret: the machine makes its own key.
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html
 * @throws Terminal `custom-data-too-large`
 */
export function renderCloudInit(request: CloudInitRequest): string {
  const own = ownFiles(request);
  const config = request.installed
    ? // The image's units start by themselves once these are written.
      { write_files: own }
    : {
        ...engineInstallation(request.image),
        write_files: [...own, ...machineSoftware()],
        // The agent wants the engine, which waits for the registration: one transaction starts all in that order.
        runcmd: [
          ['systemctl', 'enable', '--now', '--no-block', bootReportUnit],
          ['systemctl', 'enable', '--now', ...machineUnits],
        ],
      };
  const text = `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
  const size = new TextEncoder().encode(text).length;
  if (size <= most) return text;
  throw new Terminal({
    code: 'custom-data-too-large',
    message: `The customData of ${request.machine} has ${size} bytes; Azure takes at most ${most}.`,
    remedy: 'Shorten what is added to it.',
  });
}

/** What no other machine has in the same words. */
const ownFiles = (request: CloudInitRequest) => [
  file('/etc/docker/daemon.json', `${JSON.stringify(daemonConfiguration(request), null, 1)}\n`),
  file('/etc/docker/tls/ca.pem', request.engineCaCertificate),
  file('/etc/berth/agent.json', `${JSON.stringify({ app: request.appUrl, machine: request.machine })}\n`),
];

/** https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
const daemonConfiguration = ({ network, byHand = false }: CloudInitRequest) => ({
  hosts: ['fd://', 'tcp://0.0.0.0:2376'],
  tlsverify: true,
  tlscacert: '/etc/docker/tls/ca.pem',
  tlscert: '/etc/docker/tls/cert.pem',
  tlskey: '/etc/docker/tls/key.pem',
  bip: containerBridge(network),
  // It would copy every byte that the ingress sends to replicas of its own machine; these are reached by translation.
  'userland-proxy': byHand,
  'log-driver': 'json-file',
  'log-opts': { 'max-size': '10m', 'max-file': '3' },
  'live-restore': true,
});

/** Pure: address of docker0 in a /16 that the machines' network does not touch. */
function containerBridge(network: string): string {
  const [first, second] = network.split('.').map(Number);
  return first === 172 && second !== undefined && second >= 16 ? '192.168.128.1/17' : '172.20.0.1/16';
}
