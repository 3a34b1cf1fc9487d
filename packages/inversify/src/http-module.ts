import { type HttpHandler, type HttpProtocolOptions, httpProtocol } from '@postern/http/node';
import { ContainerModule } from 'inversify';
import { type BoundProtocol, identifiers, type ProtocolFactory } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';

/** Binds HTTP/1.1 for listeners: the bound handler and options. */
export const httpModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Http)
    .toResolvedValue(
      (
        handler: HttpHandler | undefined,
        options: HttpProtocolOptions | undefined,
      ): ProtocolFactory<HttpProtocolOptions> => {
        if (handler === undefined) throw new Misconfiguration([NO_HANDLER]);
        return (differences) => httpProtocol(handler, { ...options, ...differences });
      },
      [
        { serviceIdentifier: identifiers.HttpHandler, optional: true },
        { serviceIdentifier: identifiers.HttpProtocolOptions, optional: true },
      ],
    )
    .inSingletonScope();
  bind(identifiers.Protocol)
    .toResolvedValue(
      (create: ProtocolFactory<HttpProtocolOptions>): BoundProtocol => ({ scheme: 'http', create }),
      [identifiers.Http],
    )
    .inSingletonScope();
});

const NO_HANDLER = 'HTTP handler: none is bound; bind identifiers.HttpHandler';
