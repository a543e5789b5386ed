/** A receipt as one line: the fate of a steer and its reason. */
import type { Receipt } from '../../bus/messages.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

export function receiptLine(id: string, receipt: Receipt, paint: Paint): string {
  const fate = { accepted: paint.dim, queued: paint.dim, applied: paint.green, returned: paint.red }[receipt.fate](receipt.fate);
  const step =
    receipt.step === undefined ? '' : receipt.fate === 'applied' ? ` at step ${receipt.step}` : ` (step ${receipt.step})`;
  const reached = receipt.reached && receipt.reached.length > 0 ? `, relayed to ${receipt.reached.join(' ')}` : '';
  const by = receipt.by === undefined ? '' : paint.dim(` by ${oneLine(receipt.by, 32)}`);
  const why = receipt.reason ? `: ${oneLine(receipt.reason, 200)}` : '';
  return `${paint.bold(oneLine(id))} ${oneLine(receipt.kind)} ${fate}${step}${by}${reached}${why}`;
}
