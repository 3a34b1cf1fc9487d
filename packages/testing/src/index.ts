export type { Chunks } from './chunks.ts';
export { DialogueMismatch, type DialogueOptions, dialogue } from './dialogue.ts';
export { FakeClock, settle } from './fake-clock.ts';
export { type MemoryPipe, type MemoryPipeOptions, type MemoryTransport, memoryPipe } from './memory-pipe.ts';
export type { Value } from './placeholders.ts';
