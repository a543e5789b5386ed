/**
 * The receipts of a steer, as the statuses of its task tell of them. The log has those of the past; later ones are heard as
 * core-NATS messages, so a wait needs no consumer on the server, which allows 1,000 on one stream. After a reconnection the log is
 * read again.
 * Rule `receipts-end` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { listen } from '../listen.ts';
import type { Receipt } from '../messages.ts';
import { onReconnect } from '../reconnections.ts';
import { messagesAfter } from '../state/batch-get.ts';
import type { TaskId } from '../task-id.ts';
import { parseStatus } from './projection.ts';

/** Milliseconds after which the log is read once more: a busy log stores a status after the server has passed its copy on. */
const againMs = 1_000;

/** Whether a receipt is for this steer. One that does not count in a crew with roles is named by its sequence. */
export const isReceiptOf = (
  receipt: Pick<Receipt, 'steer'>,
  { steer, seq }: { readonly steer: string; readonly seq: number },
): boolean => receipt.steer === steer || receipt.steer === `seq:${seq}`;

/** Yields each receipt once, until `signal` fires or the connection is closed. @param sent the steer and its log sequence. */
export async function* receiptsTold(
  bus: Bus,
  id: TaskId,
  sent: { readonly steer: string; readonly seq: number },
  signal: AbortSignal,
): AsyncGenerator<Receipt> {
  const { nc, subjects } = bus;
  const subject = subjects.of(id, 'status');
  const told = new Set<string>();
  const fresh = (data: Uint8Array): Receipt[] =>
    (parseStatus(data)?.receipts ?? []).filter((receipt) => {
      const text = JSON.stringify(receipt);
      if (!isReceiptOf(receipt, sent) || told.has(text)) return false;
      told.add(text);
      return true;
    });
  let heard: Uint8Array[] = [];
  let news = Promise.withResolvers<void>();
  const wake = () => news.resolve();
  const listening = listen(nc, subject, ({ data }) => {
    heard.push(data);
    wake();
  });
  void listening.closed.then(wake);
  let [read, isBehind] = [sent.seq, true];
  const readAgain = () => {
    isBehind = true;
    wake();
  };
  const stopWatching = onReconnect(nc, readAgain);
  const again = setTimeout(readAgain, againMs);
  signal.addEventListener('abort', wake);
  try {
    while (!signal.aborted && !nc.isClosed()) {
      if (isBehind) {
        isBehind = false;
        for await (const message of messagesAfter(bus, subjects.logStream, subject, read)) {
          read = message.seq;
          yield* fresh(message.data);
        }
      }
      const texts = heard;
      heard = [];
      for (const data of texts) yield* fresh(data);
      if (heard.length > 0 || isBehind) continue;
      await news.promise;
      news = Promise.withResolvers();
    }
  } finally {
    signal.removeEventListener('abort', wake);
    clearTimeout(again);
    stopWatching();
    listening.stop();
  }
}
