/** Waits for the events of a task, never for time. */
import type { Crew, Sent } from '../../bus/crew.ts';
import type { Receipt, Status } from '../../bus/messages.ts';

export const never = new AbortController().signal;

/** The present status if it fits, else the first one from now on that does. */
export async function statusWhere(crew: Crew, id: string, wanted: (status: Status) => boolean): Promise<Status> {
  const watching = crew.watch(id, never);
  const first = watching.next();
  try {
    const now = await crew.status(id);
    if (now && wanted(now)) return now;
    for (let event = await first; !event.done; event = await watching.next())
      if (event.value.kind === 'status' && event.value.status.id === id && wanted(event.value.status)) return event.value.status;
  } finally {
    void watching.return(undefined);
  }
  throw new Error('the watch ended');
}

/** Resolves at a token of the task on its live subject. */
export async function tokenOf(crew: Crew, id: string): Promise<void> {
  for await (const event of crew.watch(id, never)) if (event.kind === 'live' && event.live.type === 'token') return;
}

export async function receiptsOf(crew: Crew, id: string, sent: Sent): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for await (const receipt of crew.receipts(id, sent, never)) receipts.push(receipt);
  return receipts;
}
export const finalReceipt = async (crew: Crew, id: string, sent: Sent): Promise<Receipt> =>
  (await receiptsOf(crew, id, sent)).at(-1)!;
