import { z } from 'zod';
import { Machine } from '../../model/machine.ts';
import { ofMachine } from '../parameters.ts';
import { route } from '../route.ts';
import { ReplicaView } from './services.ts';

export const listMachines = route({
  name: 'list-machines',
  method: 'GET',
  path: '/api/v1/machines',
  permission: 'machines.read',
  summary: 'The machines of all pools.',
  answer: z.object({ machines: z.array(Machine) }),
});

export const getMachine = route({
  name: 'get-machine',
  method: 'GET',
  path: '/api/v1/machines/{machine}',
  permission: 'machines.read',
  summary: 'A machine and the replicas on it.',
  params: ofMachine,
  answer: z.object({ machine: Machine, replicas: z.array(ReplicaView) }),
});
