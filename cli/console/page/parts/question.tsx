/** One open question with what answers it: the choices of the question, an edited proposal, and words. */
import { useId, useState } from 'preact/hooks';
import type { Question, SteeringInput } from '../../../../bus/messages.ts';
import { asking } from '../../../question-words.ts';
import { steer } from '../orders.ts';
import type { OpenQuestion } from '../replies.ts';
import { to } from '../route.ts';
import { mayWrite } from '../session.ts';
import { clean } from '../text.ts';
import { Diff } from './diff.tsx';
import { Ago } from './figures.tsx';
import { Pictures } from './pictures.tsx';
import { Line, Prose } from './text.tsx';

/** Arguments that an operator can edit as text, by tool; other calls are edited as JSON. */
const textArguments: Readonly<Record<string, string>> = { write_file: 'text', edit_file: 'new', apply_patch: 'patch' };

export function QuestionCard({ of }: { of: OpenQuestion }) {
  const { id, goal, goalInstruction, key, type, question, askedAt, blocked } = of;
  const heading = useId();
  const [first = '', ...rest] = question.text.split('\n');
  return (
    <article class="card question" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>
          <a href={to('task', id)}>{id}</a> {key !== null && <Line text={key} most={64} />} {asking[question.kind] ?? 'asks'}
        </h2>
        <span class="meta">
          <Line text={type} most={40} /> · <Ago at={askedAt} /> ago
        </span>
      </header>
      <Prose text={first} />
      {rest.length > 0 && (question.kind === 'approval' ? <Diff text={rest.join('\n')} /> : <Prose text={rest.join('\n')} />)}
      {question.kind === 'approval' && <Pictures task={id} call={null} kind="preview" />}
      <Answers task={id} goal={goal} question={question} />
      <p class="meta">
        {id === goal ? (
          'This goal waits'
        ) : (
          <>
            Its goal <a href={to('goal', goal)}>{goal}</a> waits
          </>
        )}
        {goalInstruction !== null && (
          <>
            : <Line text={goalInstruction} most={90} />
          </>
        )}
        {blocked > 0 && (
          <strong>
            {' '}
            {blocked} {blocked === 1 ? 'sub-task' : 'sub-tasks'} behind it.
          </strong>
        )}
      </p>
    </article>
  );
}

export function Answers({ task, goal, question }: { task: string; goal: string; question: Question }) {
  const [words, setWords] = useState('');
  const [edited, setEdited] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useId();
  const send = async (to: string, message: SteeringInput) => {
    setBusy(true);
    const reply = await steer(to, message);
    setBusy(false);
    if (reply && reply.receipts.at(-1)?.fate !== 'returned') setWords('');
  };
  const answer = (text: string, args?: Record<string, unknown>) =>
    send(task, { type: 'answer', question: question.id, text, ...(args && { args }) });
  const off = busy || !mayWrite.value;
  const isApproval = question.kind === 'approval';
  const tool = question.call?.tool;
  return (
    <div class="answers">
      <div class="row">
        {(question.choices ?? []).map((choice) => (
          <button
            key={choice}
            type="button"
            class={choice === 'approve' ? 'primary' : ''}
            disabled={off}
            onClick={() => void answer(choice)}
          >
            <Line text={choice} most={80} />
          </button>
        ))}
        {isApproval && tool !== undefined && (
          <button type="button" disabled={off} onClick={() => void send(goal, { type: 'allow', tool })}>
            Allow <Line text={tool} most={40} /> in the whole goal
          </button>
        )}
        {isApproval && isEditable(question) && edited === null && (
          <button type="button" disabled={off} onClick={() => setEdited(proposalText(question))}>
            Edit
          </button>
        )}
        {question.kind === 'budget' && (
          <button type="button" disabled={off} onClick={() => void send(task, { type: 'budget', steps: 10, costUsd: 0.5 })}>
            Give 10 steps and $0.50
          </button>
        )}
      </div>
      {edited !== null && (
        <EditProposal
          question={question}
          text={edited}
          off={off}
          onText={setEdited}
          onSend={(args) => void answer('approve', args).then(() => setEdited(null))}
        />
      )}
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (words.trim() !== '') void answer(words.trim());
        }}
      >
        <label for={field} class="sr">
          Answer {task} {question.id} in words
        </label>
        <input
          id={field}
          value={words}
          onInput={({ currentTarget }) => setWords(currentTarget.value)}
          placeholder={isApproval ? 'no, and why …' : 'Answer in words …'}
          maxLength={32_768}
          autoComplete="off"
        />
        <button type="submit" disabled={off || words.trim() === ''}>
          Answer
        </button>
      </form>
    </div>
  );
}

interface EditProps {
  readonly question: Question;
  readonly text: string;
  readonly off: boolean;
  readonly onText: (text: string | null) => void;
  readonly onSend: (args: Record<string, unknown>) => void;
}

function EditProposal({ question, text, off, onText, onSend }: EditProps) {
  const field = useId();
  const args = argsWith(question, text);
  const isChanged = text !== proposalText(question);
  return (
    <div class="edit">
      <label for={field}>Change what is proposed; it runs as you leave it</label>
      <textarea
        id={field}
        rows={12}
        value={text}
        spellcheck={false}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
      {args === null && (
        <p class="bad" role="alert">
          This is no JSON object; nothing can be sent yet.
        </p>
      )}
      <div class="row">
        <button type="button" class="primary" disabled={off || args === null || !isChanged} onClick={() => onSend(args!)}>
          Approve as edited
        </button>
        <button type="button" onClick={() => onText(null)}>
          Leave it as it was
        </button>
      </div>
    </div>
  );
}

type Args = Record<string, unknown>;
const argsOf = ({ call }: Question): Args | null =>
  typeof call?.args === 'object' && call.args !== null && !Array.isArray(call.args) ? (call.args as Args) : null;
const textKey = (question: Question): string | null => {
  const key = textArguments[question.call?.tool ?? ''];
  return key !== undefined && typeof argsOf(question)?.[key] === 'string' ? key : null;
};

/** Whether the arguments came with the question, and show no character that cannot be seen. */
function isEditable(question: Question): boolean {
  return argsOf(question) !== null && clean(proposalText(question)) === proposalText(question);
}

function proposalText(question: Question): string {
  const key = textKey(question);
  return key === null ? JSON.stringify(argsOf(question), null, 2) : String(argsOf(question)![key]);
}

function argsWith(question: Question, text: string): Args | null {
  const key = textKey(question);
  if (key !== null) return { ...argsOf(question), [key]: text };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Args) : null;
  } catch {
    return null;
  }
}
