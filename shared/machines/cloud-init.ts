import { stringify } from 'yaml';
import { Terminal } from '../model/errors.ts';
import { agentScript } from './agent.ts';

export interface CloudInitRequest {
  readonly machine: string;
  /** https address of the app, as the machine reaches it; no path. */
  readonly appUrl: string;
  /** The engine CA's certificate, PEM: whose clients the machine's engine admits. */
  readonly engineCaCertificate: string;
  /** CIDR of the machines' own network: the containers' network in a machine must be another. */
  readonly network: string;
}

/** Azure: osProfile.customData holds at most 65,535 bytes before base64. */
const most = 65_535;

/**
 * The customData of a machine: cloud-init installs Docker from the image's own distribution, which starts on 2376
 * with mutual TLS once the machine is registered. It holds no secret: the machine makes its own key.
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html
 * @throws Terminal `custom-data-too-large`
 */
export function renderCloudInit(request: CloudInitRequest): string {
  const file = (path: string, content: string, permissions = '0644') => ({ path, permissions, content });
  const config = {
    package_update: true,
    packages: ['docker.io'],
    apt: { conf: 'APT::Install-Recommends "false";\n' },
    write_files: [
      file('/etc/docker/daemon.json', `${JSON.stringify(daemonConfiguration(request.network), null, 1)}\n`),
      file('/etc/docker/tls/ca.pem', request.engineCaCertificate),
      file('/etc/systemd/system/docker.service.d/berth.conf', dockerDropIn),
      file('/etc/systemd/system/berth-register.service', registerUnit),
      file('/etc/systemd/system/berth-register.timer', registerTimer),
      file('/etc/systemd/system/berth-agent.service', agentUnit),
      file('/etc/berth/agent.json', `${JSON.stringify({ app: request.appUrl, machine: request.machine })}\n`),
      file('/usr/local/lib/berth/agent.py', agentScript, '0755'),
    ],
    // The agent wants the engine, which waits for the registration: one transaction starts all in that order.
    runcmd: [
      [
        'systemctl',
        'enable',
        '--now',
        'berth-register.service',
        'berth-register.timer',
        'berth-agent.service',
      ],
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

/** https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
const daemonConfiguration = (network: string) => ({
  hosts: ['fd://', 'tcp://0.0.0.0:2376'],
  tlsverify: true,
  tlscacert: '/etc/docker/tls/ca.pem',
  tlscert: '/etc/docker/tls/cert.pem',
  tlskey: '/etc/docker/tls/key.pem',
  bip: containerBridge(network),
  'log-driver': 'json-file',
  'log-opts': { 'max-size': '10m', 'max-file': '3' },
  'live-restore': true,
});

/** Pure: address of docker0 in a /16 that the machines' network does not touch. */
function containerBridge(network: string): string {
  const [first, second] = network.split('.').map(Number);
  return first === 172 && second !== undefined && second >= 16 ? '192.168.128.1/17' : '172.20.0.1/16';
}

/**
 * The package starts the engine when it is installed: without its certificate it stays down. The empty ExecStart
 * removes the packaged one, whose -H contradicts `hosts`; env finds dockerd in /usr/sbin (Debian) or /usr/bin (Ubuntu).
 */
const dockerDropIn = `[Unit]
After=berth-register.service
ConditionPathExists=/etc/docker/tls/cert.pem
[Service]
ExecStart=
ExecStart=/usr/bin/env dockerd --containerd=/run/containerd/containerd.sock
`;

const registerUnit = `[Unit]
Description=Berth: certificate of this machine's Docker engine
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /usr/local/lib/berth/agent.py register
[Install]
WantedBy=multi-user.target
`;

const registerTimer = `[Unit]
Description=Berth: renewal of the engine's certificate
[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
[Install]
WantedBy=timers.target
`;

const agentUnit = `[Unit]
Description=Berth: reports what happens on this machine's Docker engine
After=docker.service
Wants=docker.service
[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/berth/agent.py follow
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
`;
