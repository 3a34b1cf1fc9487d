/** Reports a fault to the operator of a process that has no log for it. */
export function warn(error: Error): void {
  const { cause, message } = error;
  process.emitWarning(cause instanceof Error ? withReason(message, cause) : message, 'PosternWarning');
}

/** Node prints no cause of a warning. Most messages already end with the reason, or its code. */
function withReason(message: string, cause: NodeJS.ErrnoException): string {
  const isNamed = message.endsWith(cause.message) || message.endsWith(cause.code ?? cause.message);
  return isNamed ? message : `${message}: ${cause.message}`;
}
