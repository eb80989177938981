/** Name of the secret that holds a user's cloud-init data until the VM was asked for. */
export const customDataSecret = (machine: string): string => `machines/${machine}/custom-data`;
