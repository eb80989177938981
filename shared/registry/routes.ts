import { deleteBlob, readBlob } from './blob-routes.ts';
import type { Handler } from './call.ts';
import { readCatalog, readReferrers, readTags } from './list-routes.ts';
import { deleteManifest, readManifest, writeManifest } from './manifest-routes.ts';
import { ownOnly } from './sources/own-only.ts';
import { beginUpload, cancelUpload, completeUpload, continueUpload, uploadStatus } from './upload-routes.ts';

/** One resource of the API: its path, and for each method what the caller's token must give, and who answers. */
interface Resource {
  readonly path: RegExp;
  readonly methods: Readonly<
    Record<string, readonly ['token' | 'catalog' | 'pull' | 'push' | 'delete', Handler]>
  >;
}

const answerBase: Handler = async () => Response.json({});

/** OCI Distribution 1.1, "Endpoints". HEAD goes where GET goes. */
export const resources: readonly Resource[] = [
  { path: /^\/v2\/?$/, methods: { GET: ['token', answerBase] } },
  { path: /^\/v2\/_catalog$/, methods: { GET: ['catalog', readCatalog] } },
  { path: /^\/v2\/(?<name>.+)\/tags\/list$/, methods: { GET: ['pull', readTags] } },
  { path: /^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/, methods: { GET: ['pull', readReferrers] } },
  {
    path: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
    methods: {
      GET: ['pull', readManifest],
      PUT: ['push', ownOnly(writeManifest)],
      DELETE: ['delete', deleteManifest],
    },
  },
  { path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/, methods: { POST: ['push', ownOnly(beginUpload)] } },
  {
    path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/,
    methods: {
      GET: ['push', uploadStatus],
      PATCH: ['push', continueUpload],
      PUT: ['push', ownOnly(completeUpload)],
      DELETE: ['push', cancelUpload],
    },
  },
  {
    path: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
    methods: { GET: ['pull', readBlob], DELETE: ['delete', deleteBlob] },
  },
];
