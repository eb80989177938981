/** Imports point one way: docs/architecture.md, "Layout". */

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'shared-knows-no-entry-points',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(functions|infra|cli|test|bench)/' },
    },
    {
      name: 'infra-knows-no-app',
      severity: 'error',
      from: { path: '^infra/local/', pathNot: '^infra/local/supervisor/' },
      to: { path: '^(functions|cli|test|bench)/|^shared/(?!model|certificates|state)' },
    },
    {
      name: 'supervisor-uses-the-api-alone',
      severity: 'error',
      from: { path: '^infra/local/supervisor/' },
      to: { path: '^(functions|cli|test|bench)/|^shared/(?!model)' },
    },
    {
      name: 'cli-uses-the-api-alone',
      severity: 'error',
      from: { path: '^cli/' },
      to: {
        path: '^(functions|infra|test|bench)/|^shared/(?!api|model|compose|formats|auth/(permissions|repository-grant))',
      },
    },
    {
      name: 'functions-know-no-infrastructure',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^(infra|cli|test|bench)/' },
    },
    {
      name: 'programming-model-in-functions-alone',
      severity: 'error',
      from: { pathNot: '^(functions|test|infra/local/functions-host|bench|node_modules)/' },
      to: { path: 'node_modules/(@azure/functions|durable-functions)/' },
    },
    {
      name: 'sdks-in-adapters-alone',
      severity: 'error',
      from: { path: '^shared/', pathNot: '\\.azure\\.ts$' },
      to: { path: 'node_modules/@azure/', pathNot: 'node_modules/@azure/functions/' },
    },
    {
      name: 'pure-folders-know-no-node',
      severity: 'error',
      from: {
        path: '^shared/(model|compose|formats|workloads|scheduling|events)/',
        pathNot: '\\.azure\\.ts$',
      },
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'orchestrators-are-pure',
      severity: 'error',
      from: { path: '^functions/orchestrators/' },
      to: {
        pathNot:
          '^(functions/orchestrators|shared/(model|workloads|scheduling|machines|events|ingress)|node_modules/(durable-functions|zod))/',
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.berth)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
    },
  },
};
