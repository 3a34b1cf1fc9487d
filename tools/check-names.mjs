// Finds the names that CHANGELOG.md says were renamed.
//
//   node tools/check-names.mjs [PATH…]     checks all files, or the files under the paths
//
// Prints `FILE:LINE: OLD is now NEW` for each finding and exits with 1 if there is one.
// Many an old name is also a good word for something else (`text`, `deadline`, `place`), hence four
// lists, from the widest to the narrowest:
//   - EVERYWHERE: no identifier, no whole string, and no code in Markdown has the name;
//   - DECLARED: no package declares a function, class, type or module constant of the name;
//   - MEMBERS: no interface, type or class of a package has a public member of the name;
//   - IN_ROOM: the name means the old thing in one package only.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseSync, Visitor } from 'vite';

const EVERYWHERE = {
  patience: 'readTimeout',
  finalPatience: 'dataTimeout',
  idleTime: 'idleTimeout',
  deliveryTime: 'deliveryTimeout',
  finalTime: 'endTimeout',
  loginTime: 'loginTimeout',
  notifyTime: 'notifyTimeout',
  connectTime: 'connectTimeout',
  refusalFloor: 'minFailureDelay',
  failureFloor: 'minFailureDelay',
  refusalDelay: 'loginFailureDelay',
  promptRefusals: 'undelayedLoginFailures',
  smallChunks: 'maxSmallChunks',
  trouble: 'error',
  onTrouble: 'onError',
  SmtpTrouble: 'SmtpProtocolError',
  guest: 'demoUser',
  guests: 'anonymous, allowAnonymous',
  Onward: 'NextHop',
  onward: 'nextHop',
  retains: 'keepsChunks',
  trustSubmitter: 'trustAuthParameter',
  completeHeader: 'addMissingHeaders',
  qualifiedDomains: 'requireQualifiedDomains',
  knownChallengers: 'allChallengers',
  withOwn: 'overrideChallengers',
  TlsFacts: 'TlsInfo',
  SocketFacts: 'SocketInfo',
  ForwardedFacts: 'ForwardedInfo',
  BearerTokenFacts: 'BearerTokenInfo',
  PerRecipient: 'PerRecipientDelivery',
  MustMatchSender: 'OwnSenderDelivery',
  Notifying: 'NotifyingDelivery',
  WrappedDelivery: 'ForwardingDelivery',
  DeliverSpec: 'DeliveryFactory',
  Roll: 'DenseSet',
  Enrolled: 'Indexed',
  Outgoing: 'OutgoingMessage',
  Excess: 'LimitExceeded',
  ActAs: 'AuthorizationOptions',
  Wording: 'ReplyOptions',
  leaveOnEnd: 'treatHalfCloseAsDisconnect',
  SmtpRefusal: 'SmtpReplyError',
  loginRefusal: 'replyForLogin',
  Intake: 'IncomingMessage',
  openIntake: 'openMessage',
  sameText: 'timingSafeEqualText',
  Turnstile: 'KeyedSemaphore',
  Sleeper: 'Waiter',
  tired: 'quotaUsed',
  Mailer: 'LazyDelivery',
  Enquiry: 'RecipientCallout',
  farewell: 'closingReply',
  takeLeave: 'sayGoodbye',
  takeBack: 'abortMessage',
  giveUp: 'abortMessage',
  withdraw: 'abortMessage',
  lossy: 'droppingWriter',
  WORTHWHILE: 'MIN_KERNEL_OCTETS',
  CRUMB: 'a constant that says quantity and unit',
  MOST: 'a constant that says quantity and unit',
  FEW: 'a constant that says quantity and unit',
  ROOM: 'a constant that says quantity and unit',
  KIND: 'a constant that says quantity and unit',
};

const DECLARED = {
  challengers: 'defaultChallengers',
  refusal: 'replyFor',
  lead: 'runSession',
  Frame: 'Base64Framing',
  Visit: 'Permit',
  Lane: 'Queue',
  Attempt: 'LoginAttempt',
  Orders: 'WorkerConfig',
  Branch: 'RecipientMessage',
  Place: 'DeliveryTarget',
  Destination: 'DeliveryTarget',
  DeliveryContext: 'what DeliveryFactory is called with',
  Take: 'ChunkConsumer',
  Binding: 'Binder',
  Trace: 'DialogueLogger',
  Chunks: 'BdatMessage, BdatFraming, Slicing',
  RepeatedReply: 'RepeatedReplyCache',
  ReceivedBeginning: 'ReceivedBeginningCache',
  DateFormat: 'DateFormatCache',
  somebody: 'assertAvatarId',
};

const MEMBERS = {
  deadline: '…Timeout, in milliseconds',
  grace: 'shutdownTimeout',
  errors: 'maxErrors',
  refusals: 'maxLoginFailures',
  omit: 'disabledExtensions',
  offer: 'mechanismPolicy',
  closing: 'shutdownSignal',
  left: 'disconnected (or remaining, for time)',
  leave: 'logout',
  mend: 'replyToError',
  nobody: 'decoySecret',
  leaving: 'closeReason',
};

const IN_ROOM = {
  sasl: { prepare: 'saslprep', text: 'decodeUtf8', utf8: 'encodeUtf8', view: 'asBuffer', EMPTY: 'NO_BYTES' },
  conversation: { rest: 'yieldTurn', wake: 'resume' },
  core: { place: 'index' },
  cred: { place: 'index' },
  esmtp: { LoginRefusal: 'LoginRejection', go: 'enterPhase', home: 'idlePhase', count: 'countError' },
};

const findings = tracked(process.argv.slice(2)).flatMap((path) => {
  const source = readFileSync(path, 'utf8');
  return (path.endsWith('.md') ? inMarkdown(source) : inProgram(source, path)).map(({ start, name, now }) => ({
    start,
    message: `${path}:${source.slice(0, start).split('\n').length}: ${name} is now ${now}`,
  }));
});
for (const { message } of findings) console.log(message);
if (findings.length > 0) process.exitCode = 1;

function tracked(paths) {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths];
  const { stdout, stderr, status } = spawnSync('git', list, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .split('\0')
    .filter((path) => /\.(ts|mts|mjs|js|md)$/.test(path) && existsSync(path))
    .filter((path) => path !== 'CHANGELOG.md' && path !== 'tools/check-names.mjs');
}

function inProgram(source, path) {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  const room = /^packages\/([^/]+)\/src\//.exec(path)?.[1];
  const found = new Map();
  const look = (names, name, { start }) => {
    if (names && Object.hasOwn(names, name)) found.set(start, { start, name, now: names[name] });
  };
  const anywhere = (node) => look(EVERYWHERE, node.name, node);
  const declared = (node) => {
    if (room === undefined || node?.type !== 'Identifier') return;
    look(DECLARED, node.name, node);
    look(IN_ROOM[room], node.name, node);
  };
  const member = ({ key }) => {
    if (room === undefined || key.type === 'PrivateIdentifier') return;
    look(MEMBERS, key.name ?? key.value, key);
    look(IN_ROOM[room], key.name ?? key.value, key);
  };
  new Visitor({
    Identifier: anywhere,
    PrivateIdentifier: anywhere,
    Literal: (node) => look(EVERYWHERE, node.value, node),
    FunctionDeclaration: ({ id }) => declared(id),
    ClassDeclaration: ({ id }) => declared(id),
    TSInterfaceDeclaration: ({ id }) => declared(id),
    TSTypeAliasDeclaration: ({ id }) => declared(id),
    TSPropertySignature: member,
    TSMethodSignature: member,
    PropertyDefinition: member,
    MethodDefinition: member,
  }).visit(program);
  for (const node of program.body) {
    const declaration = node.declaration ?? node;
    if (declaration.type === 'VariableDeclaration') for (const { id } of declaration.declarations) declared(id);
  }
  return [...found.values()];
}

/** Looks into code spans and code blocks only: many an old name is a common word. */
function inMarkdown(source) {
  return [...source.matchAll(/(`{3,}|`)[\s\S]*?\1/g)].flatMap((code) =>
    [...code[0].matchAll(/(?<![\w$-])[A-Za-z_$][\w$]*(?![\w-])/g)]
      .filter(([name]) => Object.hasOwn(EVERYWHERE, name))
      .map((match) => ({ start: code.index + match.index, name: match[0], now: EVERYWHERE[match[0]] })),
  );
}
