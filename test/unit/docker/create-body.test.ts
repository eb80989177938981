import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBody } from '../../../shared/docker/create-body.ts';
import type { ContainerRequest } from '../../../shared/docker/engine.ts';
import { optionsOf } from '../../../shared/model/container-options.ts';

const request: ContainerRequest = {
  name: 'dev.hello.web.r1.0.g1',
  image: 'registry/hello@sha256:1',
  command: undefined,
  environment: { COLOUR: 'blue' },
  labels: { 'berth.slot': '0' },
  cpu: 0.25,
  memory: 64,
  publish: { container: 8080, machine: 20001, address: '10.20.0.4' },
  stopGrace: 9.5,
};

const plain = {
  Image: 'registry/hello@sha256:1',
  Env: ['COLOUR=blue'],
  Labels: { 'berth.slot': '0' },
  StopTimeout: 10,
  ExposedPorts: { '8080/tcp': {} },
  HostConfig: {
    CpuShares: 256,
    Memory: 67_108_864,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    PortBindings: { '8080/tcp': [{ HostIp: '10.20.0.4', HostPort: '20001' }] },
  },
};

const everything = optionsOf({
  entrypoint: ['/bin/run'],
  user: '1000:1000',
  groupAdd: ['20'],
  workingDirectory: '/srv',
  labels: { team: 'shop' },
  stopSignal: 'SIGQUIT',
  init: true,
  readOnly: true,
  privileged: true,
  capAdd: ['NET_ADMIN'],
  capDrop: ['ALL'],
  noNewPrivileges: true,
  ulimits: { nofile: { soft: 1024, hard: 2048 } },
  sysctls: { 'net.core.somaxconn': '1024' },
  extraHosts: { db: '10.0.0.9' },
  hostname: 'box',
  tty: true,
  shmSize: 128,
  pidsLimit: 50,
  tmpfs: [{ target: '/tmp', size: 16, mode: '1777' }, { target: '/run' }],
  logging: { maxSize: 5, maxFiles: 2 },
});

describe('the body of create', () => {
  it('says nothing of what was not asked for', () => {
    expect(createBody(request)).toEqual(plain);
  });

  it('has every option, volume and GPU', () => {
    const body = createBody({
      ...request,
      options: everything,
      gpus: [1, 3],
      mounts: [
        { type: 'volume', name: 'dev.hello.data.0', target: '/data', readOnly: false },
        { type: 'bind', source: '/etc/ssl', target: '/etc/ssl', readOnly: true },
        { type: 'folder', source: '/run/berth/files/x', target: '/files', readOnly: false },
      ],
    });
    expect(body).toEqual({
      ...plain,
      Entrypoint: ['/bin/run'],
      Labels: { team: 'shop', 'berth.slot': '0' },
      User: '1000:1000',
      WorkingDir: '/srv',
      Hostname: 'box',
      Tty: true,
      StopSignal: 'SIGQUIT',
      HostConfig: {
        ...plain.HostConfig,
        DeviceRequests: [{ Driver: '', DeviceIDs: ['1', '3'], Capabilities: [['gpu']] }],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
        ExtraHosts: ['db:10.0.0.9'],
        Init: true,
        ReadonlyRootfs: true,
        Privileged: true,
        CapAdd: ['NET_ADMIN'],
        CapDrop: ['ALL'],
        GroupAdd: ['20'],
        SecurityOpt: ['no-new-privileges'],
        Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
        Sysctls: { 'net.core.somaxconn': '1024' },
        ShmSize: 134_217_728,
        PidsLimit: 50,
        Binds: ['/run/berth/files/x:/files:rw'],
        Mounts: [
          { Type: 'volume', Source: 'dev.hello.data.0', Target: '/data', ReadOnly: false },
          { Type: 'bind', Source: '/etc/ssl', Target: '/etc/ssl', ReadOnly: true },
          { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 16_777_216, Mode: 0o1777 } },
          { Type: 'tmpfs', Target: '/run', TmpfsOptions: {} },
        ],
      },
    });
  });

  it('of a sidecar has the network of its container, and neither names nor ports of its own', () => {
    const { publish: _, ...rest } = request;
    const body = createBody({ ...rest, publish: undefined, options: everything, sharesNetworkOf: 'abc' });
    expect(body).not.toHaveProperty('Hostname');
    expect(body['HostConfig']).toMatchObject({
      NetworkMode: 'container:abc',
      RestartPolicy: { Name: 'unless-stopped' },
    });
    expect(body['HostConfig']).not.toHaveProperty('ExtraHosts');
  });

  it('is JSON whatever was asked for, and keeps the labels that Berth knows its containers by', () => {
    const options = fc.subarray(Object.keys(everything) as (keyof typeof everything)[]);
    fc.assert(
      fc.property(options, fc.dictionary(fc.string(), fc.string()), (keys, labels) => {
        const chosen = Object.fromEntries(keys.map((key) => [key, everything[key]]));
        const body = createBody({ ...request, options: { ...chosen, labels } });
        expect(JSON.parse(JSON.stringify(body))).toEqual(body);
        expect(body['Labels']).toMatchObject(request.labels);
        expect(Object.values(body)).not.toContain(undefined);
      }),
    );
  });
});
