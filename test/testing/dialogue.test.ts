import { Closing, type Conversation, TimedOut } from '@postern/conversation';
import { DialogueMismatch, dialogue } from '@postern/testing';
import { describe, expect, it } from 'vitest';

/** A protocol that repeats each line and knows a few commands. */
async function parrot(conversation: Conversation): Promise<void> {
  conversation.say('220 parrot\r\n');
  try {
    for (;;) {
      const line = await conversation.hearLine(100, true);
      if (line === undefined) break;
      if (line === 'FAIL') throw new RangeError('a bug');
      if (line === 'HELP') conversation.say('250-one\r\n250-two\r\n250 three\r\n');
      else if (line === 'CHALLENGE') conversation.say('334 c2VjcmV0\r\n');
      else if (line === 'STARTTLS') {
        conversation.say('220 go ahead\r\n');
        await conversation.startTls();
      } else if (line === 'QUIT') {
        conversation.say('221 bye\r\n');
        break;
      } else conversation.say(`250 ${line}\r\n`);
    }
  } catch (error) {
    if (error instanceof TimedOut) conversation.say('421 too late\r\n');
    else if (error instanceof Closing) conversation.say('421 closing\r\n');
    else throw error;
  }
  await conversation.close();
}

describe('dialogue', () => {
  it('ends the lines of both sides with LF where the protocol does', async () => {
    const upperCase = async (conversation: Conversation): Promise<void> => {
      conversation.lineEnding = 'lf';
      for (let line = await conversation.hearLine(100); line !== undefined; line = await conversation.hearLine(100)) {
        conversation.say(`${line.toUpperCase()}\n`);
      }
      await conversation.close();
    };
    await dialogue(
      upperCase,
      String.raw`
      C: one\tTWO\r
      S: ONE\tTWO\r
      C: <end>
      S: <closed>`,
      { lineEnding: 'lf' },
    );
  });

  it('plays a script and resolves with the transcript', async () => {
    const transcript = await dialogue(
      parrot,
      `
      S: 220 parrot
      C: HELLO
      S: 250 HELLO
      # a comment
      C: QUIT
      S: 221 bye
      S: <closed>
      `,
    );
    expect(transcript).toBe('S: 220 parrot\nC: HELLO\nS: 250 HELLO\nC: QUIT\nS: 221 bye\nS: <closed>\n');
  });

  it('shows the dialogue and the script at a difference', async () => {
    const wrong = dialogue(
      parrot,
      `S: 220 parrot
       C: HELLO
       S: 250 hello
       C: QUIT`,
    );
    await expect(wrong).rejects.toThrow(DialogueMismatch);
    await expect(wrong).rejects.toThrow(
      [
        'the dialogue differs from the script in line 3:',
        '    S: 220 parrot',
        '    C: HELLO',
        '  - S: 250 hello',
        '  + S: 250 HELLO',
        '    C: QUIT',
      ].join('\n'),
    );
  });

  it('has placeholders for any text, regular expressions, base64, repetition and values', async () => {
    await dialogue(
      parrot,
      String.raw`
      S: 220 <any>
      C: {base64:\0joe\0s3cret}
      S: 250 AGpvZQBzM2NyZXQ=
      C: {repeat:3:ab}
      S: 250 {/(ab){3}/}
      C: CHALLENGE
      S: 334 {challenge}
      C: {answer}
      S: 250 to c2VjcmV0
      C: {challenge}
      S: 250 {challenge}
      `,
      { values: { answer: (caught) => `to ${caught.get('challenge')}` } },
    );
  });

  it('reads replies of several lines', async () => {
    await dialogue(
      parrot,
      `S: 220 parrot
       C: HELP
       S: 250-one
       S: 250-two
       S: 250 three
       C: HELP
       S: 250-...
       S: 250 three
       C: HELP
       S: 250...`,
    );
  });

  it.each([['whole'], ['octets'], [{ seed: 1 }], [{ splitAt: 9 }]] as const)('runs with chunks %j', async (chunks) => {
    await dialogue(
      parrot,
      `S: 220 parrot
       C: one
       C: two
       S: 250 one
       S: 250 two
       C: <raw th>
       S: <silence>
       C: <raw ree\\r\\n>
       S: 250 three`,
      { chunks },
    );
  });

  it('starts TLS, and expects no line of the server before it', async () => {
    await dialogue(
      parrot,
      `S: 220 parrot
       C: STARTTLS
       S: 220 go ahead
       C: <starttls>
       C: HELLO
       S: 250 HELLO`,
      { tlsPolicy: 'offered' },
    );
  });

  it('advances the clock and stops the server', async () => {
    await dialogue(
      parrot,
      'S: 220 parrot\nC: <advance 299s>\nS: <silence>\nC: <advance 1s>\nS: 421 too late\nS: <closed>',
    );
    await dialogue(parrot, 'S: 220 parrot\nC: <closing>\nS: 421 closing\nS: <closed>');
  });

  it('ends, closes and resets the connection', async () => {
    await dialogue(parrot, 'S: 220 parrot\nC: <end>\nS: <closed>');
    await dialogue(parrot, 'S: 220 parrot\nC: <close>');
    await expect(dialogue(parrot, 'S: 220 parrot\nC: <reset>')).rejects.toThrow('the connection broke');
  });

  it('rejects with the error of the protocol', async () => {
    await expect(dialogue(parrot, 'S: 220 parrot\nC: FAIL\nS: 250 never')).rejects.toThrow(RangeError);
    await expect(dialogue(parrot, 'S: 220 parrot\nC: FAIL')).rejects.toThrow(RangeError);
  });

  it('names the error of a script', async () => {
    await expect(dialogue(parrot, 'X: 220')).rejects.toThrow('line 1 of the script: expected C:, S: or #, got X: 220');
    await expect(dialogue(parrot, 'C: <dance>')).rejects.toThrow('line 1 of the script: unknown C: <dance>');
    await expect(dialogue(parrot, 'S: 220 parrot\nC: <advance soon>')).rejects.toThrow(
      'soon is no duration: expected 300s, 5min or 20ms',
    );
    await expect(dialogue(parrot, 'S: 220 parrot\nC: {what}')).rejects.toThrow('the placeholder {what} has no value');
  });

  it('finds lines that the script does not expect', async () => {
    await expect(dialogue(parrot, 'S: 220 parrot\nC: HELLO')).rejects.toThrow('+ S: 250 HELLO');
    await expect(dialogue(parrot, 'S: 220 parrot\nS: <closed>', { readTimeout: 50 })).rejects.toThrow('+ S: <silence>');
  });
});
