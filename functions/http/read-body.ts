import type { HttpRequest } from '@azure/functions';
import type { Body } from '../../shared/api/route.ts';
import { Terminal } from '../../shared/model/errors.ts';

/** The most that a request may carry: an application of a thousand services fits well. */
const LIMIT = 1024 * 1024;

/**
 * A request's body, parsed by what its content type says.
 * @throws Terminal 413 `body-too-large`, 415 `content-type-unknown`, 400 `json-invalid`; ZodError; what the parser throws
 */
export async function readBody<B>(request: HttpRequest, body: Body<B>, limit = LIMIT): Promise<B> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isText = body.text !== undefined && type === body.text.type;
  if (!isText && type !== 'application/json') {
    const expected = ['application/json', ...(body.text === undefined ? [] : [body.text.type])].join(' or ');
    throw new Terminal({
      code: 'content-type-unknown',
      status: 415,
      message: `The body's content type is "${type}"; expected ${expected}.`,
      remedy: `Send the header "Content-Type: ${body.text?.type ?? 'application/json'}".`,
    });
  }
  const text = await readText(request, limit);
  if (isText && body.text !== undefined) return body.text.parse(text);
  return body.schema.parse(parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Terminal({
      code: 'json-invalid',
      message: `The body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      remedy: 'Send one JSON value, encoded as UTF-8.',
      cause,
    });
  }
}

/**
 * A request's raw body as it comes. Reads no further than `limit` bytes, whatever the header Content-Length says.
 * @throws Terminal 413 `body-too-large`
 */
export async function* bodyOf(request: HttpRequest, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit)
      throw new Terminal({
        code: 'body-too-large',
        status: 413,
        message: `The body has more than ${limit} bytes.`,
        remedy: 'Send less at once.',
      });
    yield chunk;
  }
}

/** The same at once. */
export async function readBytes(request: HttpRequest, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(request, limit)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readText(request: HttpRequest, limit: number): Promise<string> {
  const bytes = await readBytes(request, limit);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Terminal({
      code: 'encoding-invalid',
      message: 'The body is not UTF-8.',
      remedy: 'Send text encoded as UTF-8.',
      cause,
    });
  }
}
