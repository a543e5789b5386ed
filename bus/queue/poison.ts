import type { Failure } from '../messages.ts';

/** Rule `poison`: after this many claims in a row without progress the task is taken to kill its workers. */
export const maxIdleClaims = 5;
export const poison = (claims: number): Failure => ({
  code: 'poison',
  message: `${claims} workers were lost while they held it, and none got any further`,
  retryable: false,
});
