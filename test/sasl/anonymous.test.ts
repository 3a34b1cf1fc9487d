import { Anonymous } from '@postern/cred';
import { anonymous, decodeBase64, MalformedResponse } from '@postern/sasl';
import { anonymousResponder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someMind } from './exchange.ts';

const allowed = [
  ['nothing', ''],
  ['a token', 'sirhc'],
  ['an address', 'sirhc@example.com'],
  ['an address with a quoted local part', '"a@b"@example.com'],
  ['255 characters', 'a'.repeat(255)],
  ['255 characters of four octets', '𐍈'.repeat(255)],
  ['what Unicode 3.2 did not know', '\u0221'],
  ['letters from right to left', 'אבג'],
  ['digits between letters from right to left', 'א1ב'],
] as const;

const refused = [
  ['256 characters', 'a'.repeat(256)],
  ['256 characters of four octets', '𐍈'.repeat(256)],
  ['a megabyte', 'a'.repeat(1 << 20)],
  ['NUL', 'a\0b'],
  ['a line break', 'a\nb'],
  ['DEL', 'a\u007f'],
  ['a control character beyond ASCII', 'a\u0085'],
  ['private use', 'a\ue000'],
  ['a non-character', 'a\ufdd0'],
  ['a replacement character', 'a\ufffd'],
  ['an override of direction', 'a\u202eb'],
  ['a tag', 'a\u{e0041}'],
  ['an @ with nothing before it', '@example.com'],
  ['an @ with nothing behind it', 'sirhc@'],
  ['letters of both directions', 'אa'],
  ['a digit before letters from right to left', '1א'],
  ['a digit behind letters from right to left', 'א1'],
] as const;

describe('the ANONYMOUS challenger', () => {
  it('reads the example of RFC 4505 §4, after an empty challenge', async () => {
    const ask = scripted(decodeBase64('c2lyaGM=') as Uint8Array);
    const credentials = await anonymous().challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['']);
    expect(credentials).toBeInstanceOf(Anonymous);
    expect(credentials).toMatchObject({ trace: 'sirhc', username: undefined, authzid: undefined });
  });

  it.each(allowed)('accepts %s', async (_what, trace) => {
    expect(await initially(anonymous(), trace)).toHaveProperty('trace', trace);
  });

  it.each(refused)('refuses %s', async (_what, trace) => {
    await expect(initially(anonymous(), trace)).rejects.toThrow(MalformedResponse);
  });

  it('refuses invalid UTF-8', async () => {
    await expect(initially(anonymous(), Uint8Array.of(0xed, 0xa0, 0x80))).rejects.toThrow(MalformedResponse);
  });
});

describe('the ANONYMOUS responder', () => {
  it('sends the example of RFC 4505 §4', async () => {
    const [message] = await said(anonymousResponder({ trace: 'sirhc' }), [undefined]);
    expect(Buffer.from(message as string).toString('base64')).toBe('c2lyaGM=');
  });

  it.each(allowed)('says %s', async (_what, trace) => {
    expect(await said(anonymousResponder({ trace }), [undefined])).toEqual([trace]);
  });

  it('sends no trace by default', async () => {
    expect(await said(anonymousResponder(), [undefined])).toEqual(['']);
  });

  it.each(refused)('does not send %s', async (_what, trace) => {
    await expect(said(anonymousResponder({ trace }), [undefined])).rejects.toThrow(SaslFailure);
  });

  it('does not send a lone surrogate', async () => {
    await expect(said(anonymousResponder({ trace: '\ud800' }), [undefined])).rejects.toThrow(SaslFailure);
  });
});
