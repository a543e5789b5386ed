/** One step of a task: why it was made, what its prompt had that the one before had not, the reply, and the calls. */
import type { JournalStep, PromptMessage } from '../../../../bus/journal/journal-messages.ts';
import type { ArtifactRow } from '../../../../bus/messages.ts';
import { Ago, count, dollars, tokensOf } from '../parts/figures.tsx';
import { Line } from '../parts/text.tsx';
import { clean, line } from '../text.ts';
import { Call } from './call.tsx';
import { Words } from './words.tsx';

interface StepProps {
  readonly of: JournalStep;
  readonly artifacts: readonly ArtifactRow[];
  readonly isWhole: boolean;
}

export function StepView({ of, artifacts, isWhole }: StepProps) {
  const { step, at, node, epoch, backend, state, why, usage, outcome, reply, note, prompt } = of;
  return (
    <article class="step card" aria-labelledby={`step-${step}`}>
      <header>
        <h3 id={`step-${step}`}>
          Step {step} <span class="meta">{line(state, 24)}</span>
        </h3>
        <span class="meta">
          {backend !== null && <Line text={backend} most={40} />} on <Line text={node} most={40} />
          {epoch > 1 && ` (claim ${epoch})`} · {count(tokensOf(usage))} tokens · {dollars(usage)} · <Ago at={at} /> ago
        </span>
      </header>
      {why.length > 0 && (
        <ul class="why" aria-label={`Why step ${step} was made`}>
          {why.map(({ kind, text }, i) => (
            <li key={i}>
              <span class={`kind ${kind}`}>{line(kind, 20)}</span> <Line text={text} most={240} />
            </li>
          ))}
        </ul>
      )}
      {prompt && (isWhole || prompt.messages.some((each) => isNews(each, why))) && (
        <Prompt
          of={prompt.messages}
          isWhole={isWhole}
          same={prompt.same}
          is={prompt.is}
          changed={prompt.changed ?? []}
          why={why}
        />
      )}
      {reply && reply.text !== '' && <Words text={reply.text} />}
      {(reply?.calls ?? []).map(({ id, tool, args }) => (
        <Call key={id} id={id} tool={tool} args={args} artifacts={artifacts} />
      ))}
      {outcome !== undefined && outcome !== 'replied' && (
        <p class={`state ${outcome === 'failed' ? 'bad' : 'asks'}`}>
          <span aria-hidden="true">{outcome === 'failed' ? '✕' : '‖'}</span> {outcomes[outcome]}
        </p>
      )}
      {note !== undefined && (
        <p class="meta">
          <Line text={note} most={300} />
        </p>
      )}
    </article>
  );
}

const outcomes = {
  replied: 'replied',
  interrupted: 'interrupted by an operator',
  failed: 'failed',
  lost: 'lost with its worker',
} as const;

interface PromptProps {
  readonly of: readonly PromptMessage[];
  readonly isWhole: boolean;
  readonly same: number;
  readonly is: 'as-sent' | 'rebuilt' | 'conversation';
  readonly changed: readonly string[];
  readonly why: JournalStep['why'];
}
const roles = { system: 'rules', user: 'told', assistant: 'said before', tool: 'result' } as const;

/** In the list a message of an operator stands among the reasons of the step already. */
const isNews = ({ role, text }: PromptMessage, why: JournalStep['why']): boolean =>
  role === 'tool' || (role === 'user' && !why.some((each) => each.text.includes(text.trim())));

function Prompt({ of, isWhole, same, is, changed, why }: PromptProps) {
  // In the list each reply stands with its own step, and the rules of the kind are the same in all.
  const shown = isWhole ? of : of.filter((each) => isNews(each, why));
  return (
    <div class="prompt">
      {isWhole && (
        <p class="meta">
          {is === 'as-sent' ? 'The prompt as it was sent' : is === 'rebuilt' ? 'The prompt, built again' : 'The conversation'}
          {changed.length > 0 && `; changed since: ${line(changed.join(', '), 120)}`}
          {same > 0 && `. ${same} messages before are those of the step before.`}
        </p>
      )}
      {shown.map(({ role, text, call, unfinished, images = [] }, at) => (
        <details key={at} class={`message ${role}`} open={role === 'user' || (isWhole && role !== 'system')}>
          <summary>
            {roles[role] ?? line(role, 20)}
            {call !== undefined && <span class="meta"> {line(call, 40)}</span>}
            {unfinished && <span class="meta"> cut off</span>} <span class="meta">{line(text, 90)}</span>
          </summary>
          <pre class="prose">{clean(text)}</pre>
          {images.length > 0 && <p class="meta">with {images.length} pictures</p>}
        </details>
      ))}
    </div>
  );
}
