import { parseAuthLine } from '../../../packages/dovecot-auth/src/protocol/auth-line.ts';
import { escapeField, unescapeField } from '../../../packages/dovecot-auth/src/protocol/escape.ts';
import { holds, same, type Target } from '../target.ts';

/** AUTH lines of Dovecot's auth protocol, without their LF. */
export const authLines: Target = {
  name: 'auth lines',
  maxPumped: 16_384,
  seeds: [
    'AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=192.0.2.9\tsecured\tresp=AGpvZQBzM2NyZXQ=',
    'AUTH\t4294967295\tLOGIN\tservice=smtp\tresp=',
    'AUTH\t7\tplain\trport=99999\tlocal_name=a\x01tb\x011',
    'AUTH\t1\tPLAIN\tresp==\trip=1',
  ],
  tokens: [
    '\t',
    'AUTH\t',
    '\tresp=',
    '\tresp==',
    '\trip=',
    '\x01',
    '\x01t',
    '\x010',
    '0',
    '4294967296',
    '-1',
    '\r',
    '\0',
  ],
  parse: (input) => parseAuthLine(`AUTH\t${input.toString('latin1')}`)?.valueOf('rip'),
  run(input) {
    const text = input.toString('latin1');
    same(unescapeField(escapeField(text)), text, 'an escaped field round trip');
    holds(!/[\0\t\r\n]/.test(escapeField(text)), 'an escaped field ends no field and no line');
    const line = text.startsWith('AUTH\t') ? text : `AUTH\t${text}`;
    const parsed = parseAuthLine(line);
    const [, id = '', mechanism = '', ...fields] = line.split('\t');
    const isValid = /^[1-9]\d{0,9}$/.test(id) && Number(id) < 2 ** 32 && mechanism !== '';
    same(parsed !== undefined, isValid, 'a line with an id and a mechanism is taken, and no other');
    if (parsed === undefined) return 'none';
    same([parsed.id, parsed.mechanism], [Number(id), mechanism], 'the id and the mechanism');
    const responseAt = fields.findIndex((field) => field.startsWith('resp='));
    const response = responseAt < 0 ? undefined : fields.slice(responseAt).join('\t').slice('resp='.length);
    same(parsed.response, response, 'the response is the rest of the line');
    const parameters = responseAt < 0 ? fields : fields.slice(0, responseAt);
    for (const name of ['rip', 'service']) {
      const value = parameters.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1);
      same(parsed.valueOf(name), value && unescapeField(value), 'the first value of a parameter counts');
    }
    same(parsed.has('secured'), parameters.includes('secured'), 'a parameter without a value');
    return `${response === undefined} ${Math.min(8, parameters.length)} ${parsed.has('secured')}`;
  },
};
