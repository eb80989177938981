/** What the local ARM endpoint asks of whatever runs machines. All calls are idempotent. */
export interface MachineRuntime {
  /** Makes and boots the machine; returns once it boots (not when cloud-init is done). A machine of that name is left as it is. */
  create(request: MachineRequest): Promise<void>;
  start(name: string): Promise<void>;
  /** Power off: the disk stays. */
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Removes the machine, and with `disk` what it stored. */
  remove(name: string): Promise<void>;
  state(name: string): Promise<'running' | 'stopped' | 'absent'>;
  /** Names of all machines of this data centre. */
  list(): Promise<readonly string[]>;
  /** Console output since boot. */
  console(name: string): Promise<string>;
  /** Makes an image of a stopped, generalised machine. */
  capture(name: string, imageId: string): Promise<void>;
  removeImage(imageId: string): Promise<void>;
  /**
   * Runs a program in the running machine as root and answers what it wrote once it has ended. For short programs: one that
   * is to go on must put itself into the background. @throws where the machine does not run
   */
  run(name: string, program: MachineProgram): Promise<ProgramEnd>;
  /** Enforces inbound rules in the machine, in the order of their priority; what no rule admits from outside the network is dropped. */
  setInboundRules(name: string, rules: readonly InboundRule[]): Promise<void>;
}

export interface MachineProgram {
  /** Program and arguments, as they are: no shell is between. */
  readonly command: readonly string[];
  /** On its standard input, which then ends. */
  readonly input?: string;
}

export interface ProgramEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineRequest {
  /** The VM's name; also the host name. */
  readonly name: string;
  readonly address: string;
  readonly image:
    | { readonly kind: 'marketplace'; readonly reference: string }
    | { readonly kind: 'captured'; readonly imageId: string };
  /** base64, as in osProfile.customData; empty for none. */
  readonly customData: string;
  readonly cores: number;
  /** MiB. */
  readonly memory: number;
  readonly adminUser: string;
  readonly sshKeys: readonly string[];
  readonly inboundRules: readonly InboundRule[];
}

/** As in networkSecurityGroup.securityRules, direction Inbound. */
export interface InboundRule {
  readonly name: string;
  readonly priority: number;
  readonly access: 'Allow' | 'Deny';
  readonly protocol: 'Tcp' | 'Udp' | 'Icmp' | '*';
  /** CIDRs, or `*`. */
  readonly sources: readonly string[];
  /** `22`, `8000-8100` or `*`. */
  readonly ports: readonly string[];
}
