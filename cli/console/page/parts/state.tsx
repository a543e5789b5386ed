/** The state of a task, told by a sign and a word as well as by colour. */
import type { TaskState, TreeNode } from '../../../../bus/messages.ts';

export interface StateLike {
  readonly state: TaskState;
  readonly outcome: TreeNode['outcome'];
  readonly paused?: boolean | undefined;
  readonly id?: string | null;
}

interface Look {
  readonly sign: string;
  readonly word: string;
  readonly tone: string;
}

const looks: Readonly<Record<TaskState | 'completed' | 'failed' | 'cancelled' | 'paused' | 'planned', Look>> = {
  idle: { sign: '○', word: 'queued', tone: 'quiet' },
  planned: { sign: '·', word: 'planned', tone: 'quiet' },
  thinking: { sign: '◐', word: 'thinking', tone: 'busy' },
  acting: { sign: '▶', word: 'acting', tone: 'busy' },
  decomposing: { sign: '◐', word: 'planning', tone: 'busy' },
  gathering: { sign: '⋯', word: 'gathering', tone: 'busy' },
  reducing: { sign: '◑', word: 'reducing', tone: 'busy' },
  'awaiting-steer': { sign: '?', word: 'needs you', tone: 'asks' },
  done: { sign: '✓', word: 'done', tone: 'good' },
  completed: { sign: '✓', word: 'done', tone: 'good' },
  failed: { sign: '✕', word: 'failed', tone: 'bad' },
  cancelled: { sign: '–', word: 'cancelled', tone: 'quiet' },
  paused: { sign: '‖', word: 'paused', tone: 'asks' },
};

export const lookOf = ({ state, outcome, paused, id }: StateLike): Look =>
  looks[outcome ?? (paused ? 'paused' : id === null && state === 'idle' ? 'planned' : state)] ?? looks.idle;

export function StateMark(props: StateLike) {
  const { sign, word, tone } = lookOf(props);
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{sign}</span> {word}
    </span>
  );
}
