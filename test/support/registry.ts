import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** The part of a package.json that a registry needs. The registry passes on the rest unchanged. */
export interface PackedManifest {
  readonly name: string;
  readonly version: string;
}

/**
 * An npm registry on loopback with only the added packages. An undeclared dependency fails to
 * install.
 */
export class TestRegistry implements AsyncDisposable {
  readonly #server: Server;
  readonly #tarballs = new Map<string, Buffer>();
  readonly #versions = new Map<string, PackedManifest[]>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const path = decodeURIComponent((request.url ?? '').slice(1));
      const tarball = this.#tarballs.get(path);
      if (tarball !== undefined) response.end(tarball);
      else if (this.#versions.has(path)) response.end(JSON.stringify(this.#document(path)));
      else response.writeHead(404).end('{}');
    });
  }

  static async start(): Promise<TestRegistry> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestRegistry(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  add(manifest: PackedManifest, tarball: Buffer): void {
    this.#tarballs.set(fileOf(manifest), tarball);
    this.#versions.set(manifest.name, [...(this.#versions.get(manifest.name) ?? []), manifest]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #document(name: string): object {
    const versions = (this.#versions.get(name) ?? []).map((manifest) => {
      const file = fileOf(manifest);
      const digest = createHash('sha512').update(this.#tarballs.get(file) ?? '');
      const dist = { tarball: `${this.url}/${file}`, integrity: `sha512-${digest.digest('base64')}` };
      return [manifest.version, { ...manifest, dist }] as const;
    });
    return { name, 'dist-tags': { latest: versions.at(-1)?.[0] }, versions: Object.fromEntries(versions) };
  }
}

function fileOf({ name, version }: PackedManifest): string {
  return `${name}/-/${version}.tgz`;
}
