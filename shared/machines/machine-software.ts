import { networkScript } from '../networks/network-agent.ts';
import { agentScript } from './agent.ts';

/** An entry of cloud-init's `write_files`. */
export const file = (path: string, content: string, permissions = '0644') => ({ path, permissions, content });

/**
 * How cloud-init installs the engine, from the image's own distribution.
 * @param image reference of the marketplace, or a resource id
 */
export const engineInstallation = (image: string) =>
  ({
    package_update: true,
    packages: [
      'docker.io',
      // Since Debian 13 the client is a package of its own; other packages of the engine have it in them.
      ...(Number(/^debian:debian-(\d+)/i.exec(image)?.[1] ?? 0) >= 13 ? ['docker-cli'] : []),
      // wireguard-go is for kernels without WireGuard: which one serves is found at boot.
      ...['wireguard-tools', 'wireguard-go'],
    ],
    apt: { conf: 'APT::Install-Recommends "false";\n' },
  }) as const;

/** What every machine has beside its engine: the agent and its units. Golden images have it from their capture. */
export const machineSoftware = () => [
  file('/etc/systemd/system/docker.service.d/berth.conf', dockerDropIn),
  file('/etc/systemd/system/berth-register.service', registerUnit),
  file('/etc/systemd/system/berth-register.timer', registerTimer),
  file('/etc/systemd/system/berth-agent.service', agentUnit),
  file('/etc/systemd/system/berth-boot.service', bootUnit),
  file('/usr/local/lib/berth/agent.py', agentScript, '0755'),
  file('/etc/systemd/system/berth-network.service', networkUnit),
  file('/usr/local/lib/berth/network.py', networkScript, '0755'),
];

/** Units that start with the machine. */
export const machineUnits = [
  'berth-register.service',
  'berth-register.timer',
  'berth-network.service',
  'berth-agent.service',
] as const;

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

/** cloud-init's second stage, whose name depends on its version, writes the files of this one machine. */
const registerUnit = `[Unit]
Description=Berth: certificate of this machine's Docker engine
Wants=network-online.target
After=network-online.target cloud-init.service cloud-init-network.service
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

/**
 * It starts beside the engine, and is ready once the machine has its place in the network: the first report, which makes
 * the machine ready for containers, comes after.
 */
const networkUnit = `[Unit]
Description=Berth: network of containers between machines
After=berth-register.service
ConditionPathExists=/etc/docker/tls/cert.pem
[Service]
Type=notify
ExecStart=/usr/bin/python3 /usr/local/lib/berth/network.py
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
`;

/** It starts beside the engine: its first question waits in the engine's socket until that answers. */
const agentUnit = `[Unit]
Description=Berth: reports what happens on this machine's Docker engine
After=berth-register.service berth-network.service docker.socket
Wants=docker.service
[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/berth/agent.py follow
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
`;

/** cloud-final comes after multi-user.target: wanted by that, this unit would wait for itself. */
const bootUnit = `[Unit]
Description=Berth: tells how cloud-init ended
After=cloud-final.service berth-register.service docker.service
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /usr/local/lib/berth/agent.py boot
[Install]
WantedBy=cloud-init.target
`;

/** Starts once cloud-init has ended: whoever waits for it inside cloud-init waits for ever. */
export const bootReportUnit = 'berth-boot.service';
