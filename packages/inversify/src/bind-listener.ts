import type { Protocol } from '@postern/conversation';
import type { ListenOptions } from '@postern/node';
import type { BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import type { Binder } from './bind-realm.ts';
import { identifiers } from './identifiers.ts';

/** Where and how to listen. Certificates are by default those bound, the protocol by default ESMTP. */
export interface ListenerOptions extends Omit<ListenOptions, 'protocol'> {
  readonly protocol?: Protocol;
}

/** A listener's options under the name of its binding. */
export interface BoundListener {
  readonly name: string;
  readonly options: ListenerOptions;
}

/** Binds a listener: `bindListener(container, 'submission').toConstantValue({ endpoint: { host: '*', port: 587 } })`. */
export function bindListener(binding: Binder, name: string): BindToFluentSyntax<ListenerOptions> {
  const identifier = Symbol(`listener ${name}`) as ServiceIdentifier<ListenerOptions>;
  binding
    .bind(identifiers.Listener)
    .toResolvedValue((options: ListenerOptions) => ({ name, options }), [identifier])
    .inSingletonScope();
  return binding.bind(identifier);
}
