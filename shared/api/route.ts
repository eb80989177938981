import { z } from 'zod';
import type { Permission } from '../auth/permissions.ts';

/** What a request may carry: JSON by this schema, and for some routes also a text that is parsed into the same. */
export interface Body<B> {
  readonly schema: z.ZodType<B>;
  /** Content type and parser of the text form. */
  readonly text?: { readonly type: string; readonly parse: (text: string) => B };
}

/**
 * One route of the API as data: the server answers it, the client calls it, the OpenAPI document describes it.
 * P, Q, B and A are what its path, query, body and answer give once parsed.
 */
export interface Route<P = unknown, Q = unknown, B = unknown, A = unknown> {
  /** operationId, kebab-case, unique; the function's name is `api-` and this. */
  readonly name: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path with `{parameters}`. */
  readonly path: `/${string}`;
  readonly permission: Permission;
  /**
   * Of a route whose permission is about repositories (`images.…`): its handler itself leaves out or refuses what the caller's
   * grants do not give. Without it a caller with grants gets through only with a `repository` in path, query or body, which is
   * checked before the handler is asked.
   */
  readonly mindsGrants?: boolean | undefined;
  readonly summary: string;
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
  readonly body: Body<B> | undefined;
  /** Content type of a body that the handler reads itself, as it comes. */
  readonly stream?: string | undefined;
  /** Status of success. */
  readonly status: 200 | 201 | 202 | 204;
  /** JSON, or the content type of another kind of answer, whose parts `answer` then describes. */
  readonly answerType: string;
  readonly answer: z.ZodType<A>;
}

type Given<P, Q, B, A> = Pick<Route<P, Q, B, A>, 'name' | 'method' | 'path' | 'permission' | 'summary'> & {
  readonly answer: z.ZodType<A>;
} & Partial<
    Pick<Route<P, Q, B, A>, 'params' | 'query' | 'body' | 'status' | 'answerType' | 'mindsGrants' | 'stream'>
  >;

/** Unknown query parameters are refused, so that a misspelt filter does not answer everything. */
const nothing = z.strictObject({});

/** A route with what it leaves out filled in: no parameters, no query, no body, 200, JSON. */
export const route = <A, P = Record<string, never>, Q = Record<string, never>, B = undefined>(
  given: Given<P, Q, B, A>,
): Route<P, Q, B, A> => ({
  params: nothing as unknown as z.ZodType<P>,
  query: nothing as unknown as z.ZodType<Q>,
  body: undefined,
  status: 200,
  answerType: 'application/json',
  ...given,
});
