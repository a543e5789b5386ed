/** The states that a task went through, by its statuses in the log. */

import { fitted } from '../../platform/cut.ts';
import { maskSecrets } from '../../platform/redact.ts';
import type { Bus } from '../bus.ts';
import { parseStatus } from '../log/projection.ts';
import { scanStream } from '../log/stream-scan.ts';
import type { Status } from '../messages.ts';
import type { TaskId } from '../task-id.ts';
import type { PassedState } from './machine-report.ts';

/** Most states that are kept, the latest of them. */
export const mostStates = 200;
const maxWordsChars = 300;

export interface Passed {
  /** Oldest first. */
  readonly states: readonly PassedState[];
  /** Number of earlier ones that are left out. */
  readonly leftOut: number;
}

/** @param pathOf the path in the chart of a state that a status reports. */
export async function passedStates(
  bus: Bus,
  task: TaskId,
  pathOf: (state: Status['state']) => string,
  signal?: AbortSignal,
): Promise<Passed> {
  const states: PassedState[] = [];
  let leftOut = 0;
  let before: Status | null = null;
  await scanStream(
    bus,
    bus.subjects.logStream,
    { filter_subjects: [bus.subjects.of(task, 'status')] },
    ({ data }) => {
      const status = parseStatus(data);
      if (!status || status.id !== task || (before && status.commit <= before.commit)) return;
      if (!before || hasMoved(before, status)) states.push(passed(before, status, pathOf(status.state)));
      before = status;
      if (states.length <= mostStates) return;
      states.shift();
      leftOut++;
    },
    signal,
  );
  return { states, leftOut };
}

const hasMoved = (before: Status, now: Status): boolean =>
  before.state !== now.state ||
  before.step !== now.step ||
  before.epoch !== now.epoch ||
  before.question?.id !== now.question?.id;

function passed(before: Status | null, now: Status, path: string): PassedState {
  const { commit, at, state, step, node, backend, doing } = now;
  const why = whyOf(before, now);
  return {
    ...{ commit, at, state, path, step, node, backend },
    ...(doing !== undefined && { doing: shown(doing) }),
    ...(why !== '' && { why: shown(why) }),
  };
}

const shown = (text: string): string => fitted(maskSecrets(text), maxWordsChars);

/** The reasons for a step, as far as its status tells them. */
function whyOf(before: Status | null, { question, receipts, note, outcome, epoch }: Status): string {
  const reasons = [
    ...(before && epoch > before.epoch ? [`another worker took it over (epoch ${epoch})`] : []),
    ...receipts
      .filter(({ fate }) => fate === 'applied' || fate === 'accepted')
      .map(({ kind, steer, fate, by }) => `${kind} ${steer} ${fate}${by ? `, by ${by}` : ''}`),
    ...(question && question.id !== before?.question?.id ? [`it asks: ${question.text}`] : []),
    ...(outcome ? [outcome] : []),
    ...(note ? [note] : []),
  ];
  return reasons.join('; ');
}
