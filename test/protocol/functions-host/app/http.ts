import { Readable } from 'node:stream';
import { app } from '@azure/functions';

/** Answers with what it was sent, chunk by chunk, and says what it saw in headers. */
app.http('echo', {
  route: 'echo/{name}/{*rest}',
  methods: ['GET', 'POST', 'PATCH'],
  authLevel: 'anonymous',
  handler: async (request) => ({
    status: 201,
    headers: {
      'x-name': request.params.name ?? '',
      'x-rest': request.params.rest ?? '',
      'x-url': request.url,
      'x-seen': request.headers.get('x-sent') ?? '',
      'x-from': request.headers.get('x-forwarded-for') ?? '',
    },
    ...(request.body === null ? {} : { body: request.body }),
  }),
});

app.http('size', {
  route: 'size',
  methods: ['HEAD'],
  authLevel: 'anonymous',
  handler: async () => ({ status: 200, headers: { 'content-length': '12345', 'content-type': 'x/y' } }),
});

app.http('throws', {
  route: 'throws',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => {
    throw new Error('the handler broke');
  },
});

/** Sends one line, then waits to be released by another request. */
const waiting = new Map<string, () => void>();
app.http('hold', {
  route: 'hold/{id}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const released = new Promise<void>((resolve) => waiting.set(request.params.id ?? '', resolve));
    return {
      body: Readable.from(
        (async function* () {
          yield 'first\n';
          await released;
          yield 'second\n';
        })(),
      ),
    };
  },
});
app.http('release', {
  route: 'release/{id}',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => {
    waiting.get(request.params.id ?? '')?.();
    return { status: 204 };
  },
});

/** One request whose caller goes away: what became of its body is told to another. */
let arrive: () => void = () => undefined;
const arrived = new Promise<void>((resolve) => {
  arrive = resolve;
});
let end: (outcome: string) => void = () => undefined;
const outcome = new Promise<string>((resolve) => {
  end = resolve;
});
app.http('abandoned', {
  route: 'abandoned',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const reader = request.body?.getReader();
    await reader?.read();
    arrive();
    await reader?.read().then(
      () => end('read on'),
      () => end('aborted'),
    );
    return { status: 204 };
  },
});
app.http('arrived', {
  route: 'arrived',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => {
    await arrived;
    return {};
  },
});
app.http('outcome', {
  route: 'outcome',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => ({ body: await outcome }),
});
