import type { Command } from 'commander';
import {
  getPool,
  listPools,
  type PoolDetails,
  type PoolView,
  resetPool,
} from '../../shared/api/routes/pools.ts';
import { harmless, type Paint, table } from '../output.ts';
import { withSession } from '../session.ts';

const dollars = (figure: number): string => `$${figure.toFixed(4)}/h`;

export function addPools(program: Command): void {
  const pools = program.command('pools').description('machines that come and go with the load');
  pools
    .command('list', { isDefault: true })
    .alias('ls')
    .description('pools, with their machines, limits and cost')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { pools: found } = await client.call(listPools);
        output.data(found, () =>
          table(
            ['POOL', 'MACHINES', 'USED', 'MINIMUM', 'MAXIMUM', 'SPARES', 'COST', 'LIMIT', 'STATE'],
            found.map((pool) => [
              pool.name,
              pool.machines.total,
              pool.machines.used,
              pool.minimum,
              pool.maximum,
              pool.spec?.spares ?? 0,
              dollars(pool.hourly),
              pool.hourlyLimit === undefined ? undefined : dollars(pool.hourlyLimit),
              stateOf(pool, output.paint),
            ]),
            'There is no pool; the first container that needs a machine brings the pool default.',
          ),
        );
      }),
    );
  pools
    .command('show')
    .description('a pool, what its next machine may be, and what Azure would refuse')
    .argument('<name>')
    .action((pool: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getPool, { params: { pool } });
        output.data(found, () => detailsText(found, output.paint));
      }),
    );
  pools
    .command('reset')
    .description('forgets failures and refusals: machines are asked for again at once')
    .argument('<name>')
    .action((pool: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(resetPool, { params: { pool } });
        output.data(found, () => `The pool ${found.name} asks Azure for machines again as it needs them.`);
      }),
    );
}

/** In few words, with the reason of a rest. */
function stateOf({ breaker, resting, machines, maximum }: PoolView, paint: Paint): string {
  if (breaker !== undefined && breaker.state !== 'closed') return paint('red', `breaker ${breaker.state}`);
  if (resting !== undefined) return paint('yellow', 'rests');
  return machines.total >= maximum ? paint('yellow', 'full') : paint('green', 'ready');
}

function detailsText(pool: PoolDetails, paint: Paint): string {
  const { machines, spec } = pool;
  const states = Object.entries(machines.byState).map(([state, count]) => `${count} ${state}`);
  const schedule = pool.windows > 0 ? `, by ${pool.windows} of its schedule's windows` : '';
  const limit = pool.hourlyLimit === undefined ? '' : ` of at most ${dollars(pool.hourlyLimit)}`;
  const lines = [
    `pool      ${pool.name}${spec === undefined ? ' (by the defaults: nobody wrote it down)' : ''}`,
    `machines  ${states.join(', ') || 'none'}; ${machines.used} in use`,
    `limits    ${pool.minimum} to ${pool.maximum}, ${spec?.spares ?? 0} spare${schedule}`,
    `cost      ${dollars(pool.hourly)}${limit}`,
    `state     ${pool.resting === undefined ? stateOf(pool, paint) : paint('yellow', harmless(pool.resting))}`,
  ];
  const offered = table(
    ['SIZE', 'ZONE', 'PRIORITY', 'CPU', 'MEMORY', 'COST'],
    pool.offerings.map(({ size, zone, priority, cpu, memory, hourly }) => [
      size,
      zone,
      priority,
      cpu,
      `${memory} MiB`,
      hourly === undefined ? undefined : dollars(hourly),
    ]),
    'Nothing: Azure would refuse each of its sizes.',
  );
  const passed = pool.passed.map(({ offering, reason }) => `${offering}: ${harmless(reason)}`);
  return [
    ...lines,
    '',
    'Its next machine may be:',
    offered,
    ...(passed.length > 0 ? ['', 'Not now:', ...passed] : []),
    ...(pool.breaker === undefined ? [] : ['', `berth pools reset ${pool.name} tries again at once.`]),
  ].join('\n');
}
