import { Terminal } from '../../../shared/model/errors.ts';

export const absentMachine = (name: string): Terminal =>
  new Terminal({
    code: 'machine-absent',
    message: `There is no machine ${name}`,
    remedy: 'List the machines to see their names.',
    status: 404,
  });
