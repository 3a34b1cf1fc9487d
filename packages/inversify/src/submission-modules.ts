import { conversationModule } from './conversation-module.ts';
import { credModule } from './cred-module.ts';
import { esmtpModule } from './esmtp-module.ts';
import { nodeModule } from './node-module.ts';
import { saslModule } from './sasl-module.ts';

/** The modules of a submission server: `container.load(...submissionModules)`. Where messages go is left to bind. */
export const submissionModules = [credModule, saslModule, conversationModule, esmtpModule, nodeModule] as const;
