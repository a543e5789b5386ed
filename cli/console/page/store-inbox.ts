/** The open questions of all goals, kept up to date on every page: the navigation counts them, and a goal shows its own. */
import { computed, signal } from '@preact/signals';
import type { Status } from '../../../bus/messages.ts';
import { ask, fresh, listen } from './link.ts';
import type { OpenQuestion, QuestionsReply } from './replies.ts';

export const questions = signal<readonly OpenQuestion[] | null>(null);
export const inboxError = signal<string | null>(null);
export const openCount = computed(() => questions.value?.length ?? 0);

/** Changes that come close together are one load; in ms. */
const gatherMs = 200;
const retryMs = 3_000;
let isPlanned = false;
let busy = false;
let again = false;

/** Starts once, with the page. */
export function startInbox(): void {
  fresh.subscribe((times) => void (times > 0 && soon()));
  listen('tasks.*.*.status', (message) => {
    const { id, question, outcome } = message as Partial<Status>;
    const known = questions.peek()?.find((each) => each.id === id);
    const asks = outcome === null && question ? question.id : null;
    if ((known?.question.id ?? null) === asks) return;
    // A question that was answered elsewhere goes at once; a new one comes with what depends on it.
    if (known) questions.value = questions.peek()!.filter((each) => each !== known);
    if (asks !== null || known) soon();
  });
}

function soon(): void {
  again = true;
  plan(gatherMs);
}

function plan(ms: number): void {
  if (!isPlanned) setTimeout(load, ms);
  isPlanned = true;
}

async function load(): Promise<void> {
  isPlanned = false;
  if (busy) return;
  busy = true;
  again = false;
  try {
    const found: OpenQuestion[] = [];
    for (let after: string | null = null; ; ) {
      const reply: QuestionsReply = await ask<QuestionsReply>('questions', after === null ? {} : { after });
      found.push(...reply.questions);
      after = reply.next;
      if (after === null) break;
    }
    questions.value = found;
    inboxError.value = null;
  } catch (cause) {
    inboxError.value = cause instanceof Error ? cause.message : String(cause);
    // Without a node nobody answers; the inbox looks again until one is there.
    again = true;
  }
  busy = false;
  if (again) plan(inboxError.peek() === null ? gatherMs : retryMs);
}
