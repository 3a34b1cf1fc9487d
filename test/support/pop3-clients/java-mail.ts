import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Ended, words } from '../program.ts';
import { retrieveInto } from './inbox.ts';
import type { Pop3Account, Pop3Client, Retrieval, RetrieveOptions } from './pop3-client.ts';

const LOGINS = ['USER', 'APOP', 'PLAIN'];

/** JavaMail, in one Java machine for all runs. BeanShell runs its script without a compiler. */
class JavaMail implements Pop3Client {
  readonly name = 'JavaMail';
  readonly program = 'bsh';
  readonly debianPackages = 'default-jre-headless libmail-java bsh';
  readonly logins = { 'clear text': LOGINS, STLS: LOGINS, 'implicit TLS': LOGINS };
  readonly lineEnds = '\r\n';
  readonly skipsKnown = false;
  readonly refusal = /^javax\.mail\.AuthenticationFailedException: /m;
  #machine: JavaMachine | undefined;

  async version(): Promise<string> {
    return (await this.#run(['version'])).output;
  }

  retrieve(account: Pop3Account, { remove = false }: RetrieveOptions = {}): Promise<Retrieval> {
    const { port, channel, login, user, password, ca } = account;
    const job = (inbox: string): readonly string[] => [
      'retrieve',
      String(port),
      channel,
      login,
      user,
      password,
      ca,
      inbox,
      remove ? 'remove' : 'keep',
    ];
    return retrieveInto(account, (inbox) => this.#run(job(inbox)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine?.end();
    this.#machine = undefined;
  }

  #run(job: readonly string[]): Promise<Ended> {
    this.#machine ??= new JavaMachine();
    return this.#machine.run(job);
  }
}

export const javaMail: Pop3Client = new JavaMail();

/** A Java machine that runs one job after the other. It ends with its standard input. */
class JavaMachine {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const [program = '', ...args] = JAVA;
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdin.on('error', () => {});
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Sends the words of a job, and resolves to its answer: `0` or `1`, and the output. */
  async run(job: readonly string[]): Promise<Ended> {
    this.#process.stdin.write(`${job.join('\t')}\n`);
    const { done, value } = await this.#answers.next();
    if (done === true) throw new Error('the Java machine has ended');
    return { code: Number(value[0]), output: value.slice(2) };
  }

  async end(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.stdin.end();
    await closed;
  }
}

const JAVA = [
  ...words`java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp /usr/share/java/bsh.jar:/usr/share/java/javax.mail.jar bsh.Interpreter`,
  fileURLToPath(new URL('retrieve-with-java-mail.bsh', import.meta.url)),
];
