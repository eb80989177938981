/** Codes of OCI Distribution 1.1 ("Error Codes"), and those of the reference registry that clients know. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: 503,
  UNSUPPORTED: 405,
  UNKNOWN: 500,
} as const;

export type ErrorCode = keyof typeof statuses;

/** What a client is told: one code of the specification, a sentence, and what it may look at. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { status?: number; detail?: unknown; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? statuses[code];
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

/** Error body as the specification has it. */
export function errorResponse(error: RegistryError): Response {
  const { code, message, detail } = error;
  const errors = [detail === undefined ? { code, message } : { code, message, detail }];
  return Response.json({ errors }, { status: error.status, headers: error.headers });
}
