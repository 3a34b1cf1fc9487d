import { Fault, type PreparedSession, type Subject } from '../protocol.ts';
import { userOfSlot } from '../users.ts';
import { type FakeBackEnd, visitOf } from './back-end.ts';
import { imapVocabulary, makeScript, sieveVocabulary } from './grammar.ts';
import { ImapModel } from './imap-model.ts';
import { SieveModel } from './sieve-model.ts';

/** A listener that speaks IMAP before the back end. */
export function imapSubject(backEnd: FakeBackEnd): Subject {
  return proxiedSubject('IMAP', backEnd);
}

/** A listener that speaks ManageSieve before the back end. */
export function sieveSubject(backEnd: FakeBackEnd): Subject {
  return proxiedSubject('ManageSieve', backEnd);
}

function proxiedSubject(name: 'IMAP' | 'ManageSieve', backEnd: FakeBackEnd): Subject {
  const [Model, vocabulary] = name === 'IMAP' ? [ImapModel, imapVocabulary] : [SieveModel, sieveVocabulary];
  return {
    name,
    prepare(random, slot): PreparedSession {
      const visit = visitOf(random);
      backEnd.visits.set(slot, visit);
      const model = new Model(visit);
      const script = makeScript(random, userOfSlot(slot), vocabulary);
      const check = async (): Promise<void> => {
        const timeout = AbortSignal.timeout(MAX_CLOSE_MS);
        const late = new Promise((_, reject) => {
          timeout.addEventListener('abort', () => reject(new Fault('the connection to the back end stays open')));
        });
        await Promise.race([visit.closed, late]);
        model.checkOctets(script.ending === 'wait');
      };
      return { script, model, check };
    },
  };
}

const MAX_CLOSE_MS = 20_000;
