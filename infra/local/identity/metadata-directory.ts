/** The machine behind an address of the machines' network, as its metadata service describes it. The ARM endpoint answers. */
export interface MetadataDirectory {
  byAddress(address: string): Promise<InstanceMetadata | undefined>;
}

/** https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service */
export interface InstanceMetadata {
  /** ARM id of the VM: `xms_mirid` and `xms_az_rid` of its tokens. */
  readonly resourceId: string;
  readonly vmId: string;
  readonly name: string;
  readonly location: string;
  readonly vmSize: string;
  readonly resourceGroup: string;
  readonly subscription: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly userData: string;
  readonly privateAddress: string;
  readonly publicAddress: string | undefined;
  /** principal id of the system-assigned identity; absent if the VM has none. */
  readonly principalId: string | undefined;
}
