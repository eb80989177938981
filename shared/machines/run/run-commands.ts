import type { OperatingSystem } from '../../model/machine-run.ts';

/** Managed Run Command of one VM: https://learn.microsoft.com/azure/virtual-machines/run-command-overview */
export interface RunCommands {
  /** undefined: there is no such VM. */
  osOf(vm: string): Promise<OperatingSystem | undefined>;
  /**
   * Asks for it; answers when ARM has accepted it, not when it has run. The same name again runs it again.
   * @throws Retryable: `arm-busy` was not accepted, `arm-unavailable` perhaps was
   */
  begin(vm: string, name: string, command: ManagedCommand): Promise<Begun>;
  /** undefined: ARM has no such run command, or no such VM. */
  look(vm: string, name: string): Promise<CommandView | undefined>;
  /** Begins to delete it, which also ends its script. What is absent is deleted. */
  remove(vm: string, name: string): Promise<void>;
}

export type Begun =
  | { readonly status: 'begun' }
  /** ARM's own code and words. */
  | { readonly status: 'refused'; readonly code: string; readonly message: string };

export interface Parameter {
  /** On Linux a variable of the environment, on Windows a parameter of the script. */
  readonly name: string;
  readonly value: string;
}

export interface ManagedCommand {
  readonly script: string;
  readonly parameters: readonly Parameter[];
  readonly protectedParameters: readonly Parameter[];
  readonly user?: string;
  /** Of that user; asked for on Windows. */
  readonly password?: string;
  /** Seconds. */
  readonly timeout: number;
  /** Addresses by which the machine makes and appends the blobs of its output. */
  readonly stdoutUrl: string;
  readonly stderrUrl: string;
}

export interface CommandView {
  /** Of the resource: Creating, Succeeded, Failed, Deleting, … */
  readonly provisioning: string;
  readonly state: 'Unknown' | 'Pending' | 'Running' | 'Failed' | 'Succeeded' | 'TimedOut' | 'Canceled';
  readonly exitCode: number | undefined;
  readonly message: string;
  /** The ends of both streams, 4 KB each. */
  readonly output: string;
  readonly error: string;
}
