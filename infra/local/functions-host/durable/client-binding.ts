/** Where the management API is reached. */
export interface ManagementAddress {
  /** Of this app for others, for example `https://app:8443`. */
  readonly origin: string;
  /** Of the API for functions of this process; ends in a slash. */
  readonly internal: string;
  readonly hub: string;
  /** What others must show. */
  readonly key: string;
}

export const managementPath = '/runtime/webhooks/durabletask/';

/** Links that manage one orchestration; what stands in braces is filled in by the caller. */
export function managementUrls({ origin, hub, key }: ManagementAddress, id: string) {
  const instance = `${origin}${managementPath}instances/${id}`;
  const query = `taskHub=${hub}&connection=Storage&code=${key}`;
  return {
    id,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

/** The value of a durableClient binding, JSON text: Azure/azure-functions-durable-extension, HttpApiHandler.cs */
export function clientBinding(address: ManagementAddress): string {
  const base = `${address.origin}${managementPath.slice(0, -1)}`;
  const creation = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: address.hub,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${creation}?code=${address.key}`,
      createAndWaitOnNewInstancePostUri: `${creation}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${address.key}`,
    },
    managementUrls: managementUrls(address, 'INSTANCEID'),
    baseUrl: base,
    requiredQueryStringParameters: `code=${address.key}`,
    httpBaseUrl: null,
    rpcBaseUrl: address.internal,
  });
}
