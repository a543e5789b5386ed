/** A real HTTP server that npm takes for a registry, with packages that the test writes and the real npm packs. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface PackageRegistry {
  readonly url: string;
  /** The path of each request for a tarball. */
  readonly tarballs: string[];
  /** Called with each request for a tarball before it is answered; the default answers at once. */
  hold: (path: string) => Promise<void>;
  /** Packs `<name>@1.0.0` with these files and serves it. */
  publish(name: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** Serves other bytes than those that were published. */
  tamper(name: string): void;
  /** Writes a folder with package.json and package-lock.json that pins these packages. */
  lock(folder: string, names: readonly string[]): string;
  stop(): Promise<void>;
}

export async function openPackageRegistry(scratch: string): Promise<PackageRegistry> {
  const packed = new Map<string, Buffer>();
  const locked = new Map<string, string>();
  const tarballs: string[] = [];
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const name = path.split('/')[1] ?? '';
    const bytes = packed.get(name);
    if (!bytes) return void response.writeHead(404).end('{}');
    if (path.endsWith('.tgz')) {
      tarballs.push(path);
      await registry.hold(path);
      return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
    }
    const dist = { tarball: `${registry.url}${name}/-/${name}-1.0.0.tgz`, integrity: locked.get(name) };
    const versions = { '1.0.0': { name, version: '1.0.0', dist } };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions }));
  };
  const server = createServer((request, response) => void answer(request.url ?? '', response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const registry: PackageRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    tarballs,
    hold: async () => {},
    async publish(name, files) {
      const source = join(scratch, 'sources', name);
      mkdirSync(source, { recursive: true });
      const manifest = { name, version: '1.0.0', scripts: { install: 'touch ran-a-script' }, main: 'index.js' };
      for (const [file, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files }))
        writeFileSync(join(source, file), text);
      await promisify(execFile)('npm', ['pack', '--silent', `--pack-destination=${scratch}`], { cwd: source });
      const bytes = readFileSync(join(scratch, `${name}-1.0.0.tgz`));
      packed.set(name, bytes);
      locked.set(name, `sha512-${createHash('sha512').update(bytes).digest('base64')}`);
    },
    tamper(name) {
      packed.set(name, Buffer.concat([packed.get(name)!, Buffer.from('more')]));
    },
    lock(folder, names) {
      mkdirSync(folder, { recursive: true });
      const own = { name: 'set', dependencies: Object.fromEntries(names.map((name) => [name, '1.0.0'])) };
      const entries = names.map((name) => [`node_modules/${name}`, { version: '1.0.0', integrity: locked.get(name) }] as const);
      const lock = { name: 'set', lockfileVersion: 3, requires: true, packages: { '': own, ...Object.fromEntries(entries) } };
      writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
      writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
      return folder;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return registry;
}
