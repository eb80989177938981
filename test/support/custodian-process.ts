import { text } from 'node:stream/consumers';

/** Ends when it is told that all is done; where its parent dies before that, it removes what it left. See `entrust`. */
const [, , estate = ''] = process.argv;
// What removing needs is loaded by then: hardly any of these processes ever does it.
if ((await text(process.stdin)) !== 'done') {
  const { removeEstate } = await import('./remove-estate.ts');
  await removeEstate(JSON.parse(estate));
}
