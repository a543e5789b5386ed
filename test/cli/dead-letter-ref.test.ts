import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../bus/messages.ts';
import { findLetter } from '../../cli/dead-letter-ref.ts';

const letters = ['k3xq.0', 'k3xq.4', 'k3ab.0', 'ticket-4', 'ticket-41'].map((id) => ({ id }) as DeadLetter);

describe('a dead letter is named', () => {
  it.each([
    ['k3xq.4', 'k3xq.4'],
    ['k3xq', 'k3xq.0'],
    ['k3a', 'k3ab.0'],
    ['ticket-4', 'ticket-4'],
    ['ticket-41', 'ticket-41'],
  ])('by %s', (ref, id) => {
    expect(findLetter(letters, ref).id).toBe(id);
  });

  it.each([
    ['k3', 'may be k3xq.0 or k3xq.4 or k3ab.0'],
    ['k3xq.7', 'No dead letter'],
    ['', 'may be'],
  ])('not by %j', (ref, message) => {
    expect(() => findLetter(letters, ref)).toThrowError(
      expect.objectContaining({ code: 'unknown-letter', exitCode: 3, message: expect.stringContaining(message) }),
    );
  });

  it('of very many that fit, a few are listed', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({ id: `ticket-${n}` }) as DeadLetter);
    expect(() => findLetter(many, 'tick')).toThrowError(/^"tick" may be ticket-0 or .*ticket-7 or one of 4,992 others\.$/);
  });
});
