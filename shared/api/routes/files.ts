import { z } from 'zod';
import { ofService } from '../parameters.ts';
import { route } from '../route.ts';
import { replicaName } from './sessions.ts';

const service = '/api/v1/environments/{environment}/services/{application}/{service}' as const;

const query = z.strictObject({
  path: z.string().startsWith('/').max(4000),
  /** The first that is healthy, if left out. */
  replica: replicaName.optional(),
});

/** Bytes of one archive: what Azure Functions takes in one request, less what stands around it. */
export const MOST_ARCHIVE = 190 * 1024 * 1024;

export const statFile = route({
  name: 'stat-file',
  method: 'GET',
  path: `${service}/file`,
  permission: 'applications.exec',
  summary: 'What stands at a path in the container of a replica.',
  params: ofService,
  query,
  answer: z.object({
    name: z.string(),
    size: z.number(),
    isFolder: z.boolean(),
    linkTarget: z.string(),
    replica: z.string(),
  }),
});

export const getArchive = route({
  name: 'get-archive',
  method: 'GET',
  path: `${service}/archive`,
  permission: 'applications.exec',
  summary:
    'A file or folder of the container of a replica, as a tar archive whose entries begin with its name.',
  params: ofService,
  query,
  answerType: 'application/x-tar',
  answer: z.unknown(),
});

export const putArchive = route({
  name: 'put-archive',
  method: 'PUT',
  path: `${service}/archive`,
  permission: 'applications.exec',
  summary:
    'Unpacks a tar archive, the body (application/x-tar, at most 190 MiB), into a folder of the container of a replica.',
  params: ofService,
  query,
  stream: 'application/x-tar',
  status: 204,
  answer: z.null(),
});
