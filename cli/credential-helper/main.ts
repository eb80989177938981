import { readFileSync } from 'node:fs';
import { version } from '../../shared/api/version.ts';
import { type Connection, findConnection } from '../connection.ts';
import { Failure } from '../failure.ts';
import { answer } from './answer.ts';

/** Only where no Berth is known: clients then ask without a credential. A file with faults is said. @throws Failure */
function connectionIfKnown(): Connection | undefined {
  try {
    return findConnection(process.env, process.cwd());
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-connected') return undefined;
    throw error;
  }
}

function run([action, ...more]: readonly string[]): { text: string; exitCode: number } {
  if (action === undefined || more.length > 0)
    return { text: 'Usage: docker-credential-berth <store|get|erase|list|version>', exitCode: 1 };
  const readsInput = ['get', 'store', 'erase'].includes(action);
  try {
    return answer(action, readsInput ? readFileSync(0, 'utf8') : '', connectionIfKnown(), version);
  } catch (error) {
    return { text: error instanceof Error ? error.message : String(error), exitCode: 1 };
  }
}

const { text, exitCode } = run(process.argv.slice(2));
if (text !== '') process.stdout.write(`${text}\n`);
process.exitCode = exitCode;
