import type { MaybePromise } from '@postern/cred';
import type { Message } from '@postern/esmtp';
import { expect, test } from 'vitest';
import { thenable } from '../../support/thenable.ts';
import { ENVELOPE, GREETED, LOGIN, RecordingDelivery, Server } from '../server.ts';

const CALLS = ['from', 'to', 'open', 'write', 'end'] as const;
const OURS = 'S: 451 4.3.0 Something went wrong here, try again later';

/** A delivery whose results have `then` alone; one of its calls may fail. */
class ThenableDelivery extends RecordingDelivery {
  text = '';
  readonly #failing: string | undefined;

  constructor(failing?: string) {
    super();
    this.#failing = failing;
  }

  override onFrom = (): MaybePromise<void> => this.answer('from', undefined);
  override onTo = (): MaybePromise<void> => this.answer('to', undefined);

  override openMessage(): MaybePromise<Message> {
    return this.answer('open', {
      keepsChunks: false,
      write: (chunk: Uint8Array) => {
        this.text += Buffer.from(chunk).toString('latin1');
        return this.answer('write', undefined);
      },
      end: () => this.answer('end', undefined),
      abort: () => this.answer('abort', undefined),
    });
  }

  answer<T>(call: string, value: T): MaybePromise<T> {
    return thenable(call === this.#failing ? { error: new Error('the disk is full') } : { value });
  }
}

test('a delivery whose results have nothing but then gets a message', async () => {
  const delivery = new ThenableDelivery();
  const server = new Server({ delivery });
  await server.play(`${GREETED}${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: hello\nC: .\nS: 250 2.0.0 OK <any>`);
  expect(delivery.text).toMatch(/^Received: .*\r\nhello\r\n$/s);
  expect(server.kinds()).not.toContain('error');
});

test.each(CALLS)('a failure of such a result is 451: %s', async (call) => {
  const script = {
    from: `\nC: MAIL FROM:<ann@example.com>\n${OURS}`,
    to: `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\n${OURS}`,
    open: `${ENVELOPE}\nC: DATA\n${OURS}`,
    write: `${ENVELOPE}\nC: DATA\nS: 354...\nC: hello\nC: .\n${OURS}`,
    end: `${ENVELOPE}\nC: DATA\nS: 354...\nC: hello\nC: .\n${OURS}`,
  };
  const server = new Server({ delivery: new ThenableDelivery(call) });
  await server.play(`${GREETED}${LOGIN}${script[call]}\nC: NOOP\nS: 250 2.0.0 OK`);
  expect(server.kinds().filter((kind) => kind === 'error')).toHaveLength(1);
});
