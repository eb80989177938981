import { listDeadLetters, replayDeadLetters } from '../../../shared/api/routes/dead-letters.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(listDeadLetters, async ({ services }) => ({
  deadLetters: [...(await services.deadLetters.list())],
}));

export const replay = endpoint(replayDeadLetters, async ({ body, services }) => ({
  replayed: await services.deadLetters.replay(body.ids),
}));
