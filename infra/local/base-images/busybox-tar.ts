import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

/** The root file system of a container that holds busybox and nothing else: the program, its names, a few folders. */
export function busyboxTar(busybox: {
  readonly binary: Buffer;
  readonly applets: readonly string[];
}): Readable {
  const archive = pack();
  const fixed = { uid: 0, gid: 0, mtime: new Date(0) };
  const folders = [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sbin',
    'sys',
    'usr',
    'usr/bin',
    'usr/sbin',
    'var',
  ];
  for (const name of folders) archive.entry({ ...fixed, name, type: 'directory', mode: 0o755 });
  archive.entry({ ...fixed, name: 'tmp', type: 'directory', mode: 0o1777 });
  archive.entry(
    { ...fixed, name: 'etc/passwd', mode: 0o644 },
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  archive.entry({ ...fixed, name: 'etc/group', mode: 0o644 }, 'root:x:0:\nnogroup:x:65534:\n');
  archive.entry({ ...fixed, name: 'bin/busybox', mode: 0o755 }, busybox.binary);
  for (const applet of busybox.applets) {
    if (applet === '/bin/busybox' || !/^\/(usr\/)?s?bin\//.test(applet)) continue;
    archive.entry({
      ...fixed,
      name: applet.slice(1),
      type: 'symlink',
      linkname: '/bin/busybox',
      mode: 0o777,
    });
  }
  archive.finalize();
  return Readable.from(archive);
}
