import type { Deadlines, MemoryBudget, TurnQueue } from '@postern/conversation';
import type { Portal, Realm } from '@postern/cred';
import { type Certificates, type Listener, type ListenOptions, listen, shutDown } from '@postern/node';
import type { BoundAvatar } from './bind-avatar.ts';
import type { BoundChallenger } from './bind-challenger.ts';
import type { BoundChecker } from './bind-checker.ts';
import type { BoundListener } from './bind-listener.ts';
import type { EsmtpFactory } from './esmtp-module.ts';
import { Misconfiguration } from './misconfiguration.ts';

/** What a server is made of. */
export interface ServerParts {
  readonly portal: Portal;
  readonly realms: readonly Realm[];
  readonly avatars: readonly BoundAvatar[];
  readonly checkers: readonly BoundChecker[];
  readonly challengers: readonly BoundChallenger[];
  readonly listeners: readonly BoundListener[];
  /** For listeners without a protocol of their own. */
  readonly esmtp: EsmtpFactory | undefined;
  /** For listeners without certificates of their own. */
  readonly certificates: Certificates | undefined;
  readonly deadlines: Deadlines | undefined;
  readonly turns: TurnQueue | undefined;
  readonly memory: MemoryBudget | undefined;
  readonly warn: ((warning: string) => void) | undefined;
}

/** Everything that was bound, as one thing that is started and closed. */
export class Server implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #listeners = new Map<string, Listener>();
  #started: Promise<this> | undefined;
  #ended: Promise<void> | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get portal(): Portal {
    return this.#parts.portal;
  }

  /** The listeners that listen, by the names of their bindings. */
  get listeners(): ReadonlyMap<string, Listener> {
    return this.#listeners;
  }

  /**
   * Starts all listeners, in the order of their bindings, or none: then it rejects with a Misconfiguration that names the binding, and
   * all has been closed.
   */
  start(): Promise<this> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /**
   * Ends everything in the order in which it depends on each other: the listeners, which lets transactions end for `shutdownTimeout`
   * milliseconds (10,000 by default); the logins; the checkers, challengers, avatars' factories and the realm, as far as they can be disposed of. What
   * fails does not keep the rest; it rejects with an AggregateError at the end. Closes once.
   */
  async close({ shutdownTimeout = 10_000 }: { readonly shutdownTimeout?: number } = {}): Promise<void> {
    await this.#started?.catch(() => {});
    this.#ended ??= this.#end(shutdownTimeout);
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<this> {
    try {
      if (this.#ended !== undefined) throw new TypeError('the server is closed');
      const listeners = this.#settle();
      this.#warn();
      for (const { name, options } of listeners) this.#listeners.set(name, await started(name, options));
      return this;
    } catch (error) {
      this.#ended ??= this.#end(0);
      await this.#ended.catch(() => {});
      throw error;
    }
  }

  /** The listeners' options with what is bound for all of them. */
  #settle(): readonly { readonly name: string; readonly options: ListenOptions }[] {
    const { listeners, esmtp, certificates, deadlines, turns, memory } = this.#parts;
    const problems: string[] = [];
    if (listeners.length === 0) problems.push('listener: none is bound; use bindListener');
    const names = new Set<string>();
    const settled = listeners.flatMap(({ name, options }) => {
      if (names.has(name)) problems.push(`listener ${name}: bound more than once`);
      names.add(name);
      const protocol = options.protocol ?? esmtp?.();
      if (protocol === undefined) {
        problems.push(`listener ${name}: has no protocol; load esmtpModule or give it one`);
        return [];
      }
      const conversation = {
        ...(deadlines && { deadlines }),
        ...(turns && { turns }),
        ...(memory && { memory }),
        ...options.conversation,
      };
      return [{ name, options: { ...(certificates && { certificates }), ...options, protocol, conversation } }];
    });
    if (problems.length > 0) throw new Misconfiguration(problems);
    return settled;
  }

  #warn(): void {
    const { challengers, portal, warn = (warning) => process.emitWarning(warning, 'PosternWarning') } = this.#parts;
    for (const { name, challenger } of challengers) {
      const { mechanism, credentials } = challenger;
      if (!portal.handles(credentials)) {
        warn(`challenger ${name}: no checker judges ${credentials.name}, so that ${mechanism} is never offered`);
      }
    }
  }

  async #end(shutdownTimeout: number): Promise<void> {
    const { portal, checkers, challengers, avatars, realms } = this.#parts;
    await shutDown({
      listeners: this.#listeners.values(),
      drain: () => portal.drain(),
      resources: new Map<object, string>([
        ...checkers.map(({ name, checker }) => [checker, `checker ${name}`] as const),
        ...challengers.map(({ name, challenger }) => [challenger, `challenger ${name}`] as const),
        ...avatars.map(({ name, factory }) => [factory, `avatar ${name}`] as const),
        ...realms.map((realm) => [realm, 'realm'] as const),
      ]),
      shutdownTimeout,
    });
  }
}

async function started(name: string, options: ListenOptions): Promise<Listener> {
  try {
    return await listen(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Misconfiguration([`listener ${name}: ${why}`], { cause });
  }
}
