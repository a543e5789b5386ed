/**
 * The guarantees for an operator in every case, written from the promises in docs/architecture.md and without the charts.
 * account.ts has final receipts, results and the end; this file has the words of corrections.
 */
import type { SteeringInput } from '../../../bus/messages.ts';
import type { Message } from '../../../machines/conversation.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { type Account, isFinal } from './account.ts';
import type { ToolRun } from './bystander.ts';
import type { Sent } from './chance.ts';

const isWords = (message: SteeringInput) => message.type === 'steer' || message.type === 'redirect';
/** Corrections of one class are taken up in order: those with urgency `after` are a class of their own. */
const classOf = (message: SteeringInput) => (message.type === 'steer' && message.urgency === 'after' ? 'after' : 'soon');
const times = (text: string, whole: string) => whole.split(text).length - 1;

/** Errors in the words of a task’s corrections, in its conversation and in every request to a model. */
export function wordFaults(sent: readonly Sent[], account: Account, messages: readonly Message[], calls: readonly ModelCall[]) {
  const faults: string[] = [];
  const kept = messages.map(({ role, text }) => (role === 'user' ? text : '')).join('\n');
  const requests = calls.map((call) => call.texts('user').join('\n'));
  const finals = account.statuses.flatMap(({ receipts }) => receipts.filter(isFinal));
  for (const { id, message } of sent) {
    if (!isWords(message) || !('text' in message)) continue;
    const fate = finals.find(({ steer }) => steer === id)?.fate;
    const due = fate === 'applied' ? 1 : 0;
    if (times(message.text, kept) !== due)
      faults.push(`${message.text} was ${fate}, and is kept ${times(message.text, kept)} times`);
    if (requests.some((request) => times(message.text, request) > due))
      faults.push(`${message.text} was ${fate}, and told too often`);
  }
  for (const urgency of ['soon', 'after']) {
    const these = sent.filter(({ message }) => isWords(message) && classOf(message) === urgency);
    const order = finals.filter(({ steer }) => these.some(({ id }) => id === steer)).map(({ seq }) => seq);
    if (order.some((seq, i) => i > 0 && seq < order[i - 1]!)) faults.push(`finals of ${urgency} out of order: ${order}`);
    const said = these.map(({ message }) => kept.indexOf('text' in message ? message.text : '')).filter((place) => place >= 0);
    if (said.some((place, i) => i > 0 && place < said[i - 1]!)) faults.push(`words of ${urgency} out of order in ${kept}`);
  }
  return faults;
}

/** A correction of a goal may reach a sub-task by its instruction or by a relay, but not by both. */
export const toldTwice = (sent: readonly Sent[], calls: readonly ModelCall[]): string[] =>
  sent.flatMap(({ message }) => {
    if (!isWords(message) || !('text' in message)) return [];
    const { text } = message;
    return calls.some((call) => times(text, call.texts('user').join('\n')) > 1) ? [`${text} was told twice`] : [];
  });

/** C. A call that writes runs once: nobody here answers `run it again`. */
export function effectFaults(runs: readonly ToolRun[]): string[] {
  const writes = runs.filter(({ tool }) => tool === 'write' || tool === 'pay').map(({ task, call }) => `${task} ${call}`);
  return writes.filter((call, i) => writes.indexOf(call) !== i).map((call) => `C ${call} ran twice`);
}
