export { printable } from '@postern/esmtp';
