/** An answer of ARM that is an error: status, and `{error: {code, message}}` with Azure's code. */
export class ArmError extends Error {
  override readonly name = 'ArmError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found */
export const resourceNotFound = (type: string, name: string, group: string): ArmError =>
  new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );

export const groupNotFound = (group: string): ArmError =>
  new ArmError(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);

export const invalidRequest = (message: string): ArmError =>
  new ArmError(400, 'InvalidRequestContent', `The request content was invalid: ${message}`);

export const invalidParameter = (target: string, message: string): ArmError =>
  new ArmError(400, 'InvalidParameter', `${target}: ${message}`);

/** What another resource is named by, but is not there. */
export const invalidReference = (missing: string, from: string): ArmError =>
  new ArmError(
    400,
    'InvalidResourceReference',
    `Resource ${missing} referenced by resource ${from} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
  );

export const conflict = (id: string): ArmError =>
  new ArmError(
    409,
    'Conflict',
    `The request failed due to conflict with a concurrent request: another operation on ${id} is in progress. Wait until it ends, then try again.`,
  );

export const preemption = (): ArmError =>
  new ArmError(
    409,
    'OperationPreempted',
    'Operation execution has been preempted by a more recent operation.',
  );
