import type { Progress } from '../cloud.ts';

/** What a machine made by hand has besides its VM: a public address, and a security group that admits its user. */
export interface PublicAccess {
  /** Asks for a static public address, or finds it. */
  createPublicIp(request: PublicIpRequest): Promise<Progress>;
  /** The address and the DNS name that Azure gave; undefined if there is none. Locally an address shows only while attached. */
  publicIp(
    name: string,
  ): Promise<{ readonly address: string | undefined; readonly hostname: string | undefined } | undefined>;
  /** Makes the group, or changes whom it admits. */
  putSecurityGroup(request: SecurityGroupRequest): Promise<Progress>;
}

export interface PublicIpRequest {
  readonly name: string;
  readonly machine: string;
  /** First label of its DNS name. */
  readonly dnsLabel?: string;
}

export interface SecurityGroupRequest {
  readonly name: string;
  readonly machine: string;
  /** CIDRs; none: only the app reaches the machine. */
  readonly allowFrom: readonly string[];
  /** As `OpenPort` of shared/model/admission.ts. */
  readonly openPorts: readonly string[];
}
