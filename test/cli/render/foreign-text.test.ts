/**
 * Renderers are given hostile text in every field that a stranger can write. No line that they return may have a control or bidi
 * character or a colour that is not ours, or look like a line of Coxswain. New code in cli/render must be added here.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { Inspected } from '../../../bus/inspect/inspection-messages.ts';
import type { Comparison } from '../../../bus/journal/compare.ts';
import { JournalStep } from '../../../bus/journal/journal-messages.ts';
import { ArtifactRow, DeadLetter, Live, NodeReport, Receipt, Result, Status, TalkLine, TreeNode } from '../../../bus/messages.ts';
import { examples } from '../../../bus/protocol/protocol-examples.ts';
import { replies } from '../../../bus/protocol/protocol-schemas.ts';
import type { Retried } from '../../../bus/queue/dead-letters.ts';
import { RosterReport } from '../../../bus/roster-report.ts';
import type { TaskSummary } from '../../../bus/state/tree.ts';
import type { Member } from '../../../bus/team/members.ts';
import type { UndoPlan } from '../../../bus/undo.ts';
import * as archive from '../../../cli/render/archive.ts';
import * as artifacts from '../../../cli/render/artifacts.ts';
import { comparisonLines } from '../../../cli/render/compare.ts';
import { costLines } from '../../../cli/render/costs.ts';
import * as deadLetters from '../../../cli/render/dead-letters.ts';
import * as effects from '../../../cli/render/effects.ts';
import * as events from '../../../cli/render/events.ts';
import * as forks from '../../../cli/render/fork.ts';
import { inboxLines } from '../../../cli/render/inbox.ts';
import * as inspected from '../../../cli/render/inspected.ts';
import { LiveTree } from '../../../cli/render/live-tree.ts';
import { machineLines } from '../../../cli/render/machines.ts';
import { MarkdownFlow } from '../../../cli/render/markdown.ts';
import { memberLines } from '../../../cli/render/members.ts';
import * as menu from '../../../cli/render/menu.ts';
import { moreLines } from '../../../cli/render/more.ts';
import * as nodes from '../../../cli/render/nodes.ts';
import { plain } from '../../../cli/render/paint.ts';
import { message, oneLine, printable } from '../../../cli/render/printable.ts';
import * as questions from '../../../cli/render/question.ts';
import { receiptLine } from '../../../cli/render/receipt.ts';
import { stepLines } from '../../../cli/render/replay.ts';
import * as results from '../../../cli/render/result.ts';
import { rosterLines } from '../../../cli/render/roster.ts';
import * as statuses from '../../../cli/render/status.ts';
import * as talk from '../../../cli/render/talk.ts';
import * as trees from '../../../cli/render/tree.ts';
import { undoLines } from '../../../cli/render/undo.ts';
import { whatIfLines } from '../../../cli/render/what-if.ts';
import { wrapped } from '../../../cli/repl/flow.ts';
import type { MenuEntry } from '../../../roster/menu.ts';
import { hostile, hostileText, strangeLines } from '../../support/hostile-text.ts';

const now = new Date('2026-03-01T12:00:00Z');
const at = '2026-03-01T11:00:00.000Z';
const usage = { inputTokens: 10, outputTokens: 5, costUsd: 0.1 };
const effect = { call: 's1-0', tool: 'write_file', target: 'a.txt', step: 1, outcome: 'done', kind: 'created' } as const;
const failed = { ...effect, task: 'k3xq.4', outcome: 'in-doubt' } as const;
const receiptOf = (fate: Receipt['fate']) =>
  hostile(Receipt, { steer: 's', kind: 'steer', fate, seq: 1, reason: 'why', reached: ['k3xq.4'] });
const rosterShown = {
  node: 'n',
  host: 'h',
  file: '/r.yaml',
  hash: 'h',
  backends: [
    {
      ...{ name: 'a', kind: 'openai', tier: 'api', model: 'm', optIn: true, on: true, goodAt: ['x'], why: 'w', learnt: ['l'] },
      ...{ canOrchestrate: true, canDelegate: false, vision: true, cost: null, context: 1, concurrency: 1, inUse: 0, inLine: 0 },
      available: false,
    },
  ],
  budgets: { goalUsd: 1, taskUsd: null },
  supervision: { concurrency: 1, maxTasks: 1, maxDepth: 1, onFailure: 'retry' },
  routing: { tiers: ['local'], rotate: true },
  reducer: 'a',
  coordinator: 'deterministic',
};
const kinds = ['asked', 'approval', 'in-doubt', 'budget', 'stuck', 'checkpoint'] as const;
const status = (kind: (typeof kinds)[number] = 'asked') =>
  hostile(Status, {
    ...examples.Status[0],
    ...{
      state: 'awaiting-steer',
      doing: 'a call',
      backend: 'main',
      note: 'a note',
      usage,
      outcome: null,
      effects: [effect, failed],
    },
    question: { id: 'q1', kind, text: 'Which?', choices: ['red', 'blue'], call: { tool: 'write_file', args: {} } },
    receipts: [receiptOf('accepted'), receiptOf('applied'), receiptOf('returned')],
    subTasks: { waiting: 1, running: 1, returned: 1, failed: 1, dropped: 1 },
  } as z.input<typeof Status>);
const question = (kind: (typeof kinds)[number]) => status(kind).question!;
const result = (outcome: Result['outcome'], type = 'files') =>
  hostile(Result, {
    ...examples.Result[0],
    ...{ outcome, type, output: outcome === 'completed' ? 'done' : null, effects: [effect, failed], sources: ['a.txt'] },
    failure: { code: 'broken', message: 'broken', retryable: false },
    salvage: { findings: ['a: b', 'c'], remaining: 'more', artifacts: ['a.txt', 'k3xq.4/s1-0/made-0'], steps: 2 },
  } as z.input<typeof Result>);
const old = (outcome: Result['outcome']): Result => ({ ...result(outcome), effects: undefined });
const row = (kind: ArtifactRow['kind'], name: string | null) =>
  hostile(ArtifactRow, {
    ...{ ref: 'k3xq.4/s1-0/made-0', task: 'k3xq.4', call: 's1-0', kind, name, type: name, bytes: 3, sha256: 'ab', step: 1, at },
  });
const rows = [row('made', 'a.png'), row('replaced', null), { ...row('preview', null), damaged: true as const }];
const letters = examples.DeadLetter.map((letter) => hostile(DeadLetter, letter as z.input<typeof DeadLetter>));
const retried: Retried[] = [
  { how: 'dispatched', id: 'k3xq.4', as: 'm2zz.0' },
  { how: 'rerun', id: 'k3xq.4', as: null, parent: 'k3xq.0', key: hostileText, receipt: receiptOf('returned') },
  { how: 'rerun', id: 'k3xq.4', as: null, parent: 'k3xq.0', key: hostileText, receipt: receiptOf('applied') },
];
const report = hostile(NodeReport, examples.NodeReport[0] as z.input<typeof NodeReport>);
const node = (id: string | null, parent: string | null) =>
  hostile(TreeNode, {
    ...{ id, parent, key: 'a', type: 'files', instruction: 'do', backend: 'main', state: 'awaiting-steer', outcome: null },
    ...{ steps: 1, usage, question: status().question, effects: [effect], incomplete: 'length', made: ['k3xq.4/s1-0/made-0'] },
  });
const tree = [node('k3xq.0', null), node('k3xq.1', 'k3xq.0'), node(null, 'k3xq.0')];
const summary = {
  ...{ id: 'k3xq.0', parent: null, key: null, type: 'files', instruction: 'do', phase: 'parked', state: 'awaiting-steer' },
  ...{ outcome: null, question: status().question, step: 1, createdAt: at, updatedAt: at },
};
const summaries = hostile(replies.tasks, { tasks: [summary as never], next: null, more: 0 }).tasks as TaskSummary[];
/** As a stranger's record may have it, whose last status no schema has seen. */
const wild = { ...summaries[0]!, type: hostileText, state: hostileText as 'done' };
const asked = hostile(replies.questions, {
  questions: [
    {
      ...{ id: 'k3xq.1', goal: 'k3xq.0', goalInstruction: 'do', key: 'a', type: 'files', instruction: 'do' },
      ...{ question: status('approval').question!, askedAt: at, blocked: 2 },
    },
  ],
  next: null,
  more: 0,
}).questions.map((each) => ({ number: 1, ...each }));
const entry: MenuEntry = {
  ...{ name: hostileText, kind: 'openai', model: hostileText, tier: 'local', goodAt: [hostileText], canOrchestrate: true },
  ...{ vision: false, cost: null, context: 8_000, concurrency: 1, inUse: 0, inLine: 0, available: false, why: hostileText },
  learnt: [{ what: hostileText, why: hostileText, since: at }],
} as MenuEntry;
const undo: UndoPlan = {
  ...{ of: 'k3xq.0', type: 'files', workspace: null },
  files: [{ path: hostileText, changes: [{ task: 'k3xq.1', step: 1, before: null, after: null }] }],
  left: [{ task: 'k3xq.1', step: 1, target: hostileText, why: hostileText }],
};
const call = { id: 's1-0', tool: 'write_file', args: { path: 'a.txt' } };
const step = {
  ...hostile(JournalStep, {
    ...{
      step: 2,
      at,
      until: at,
      node: 'n',
      epoch: 1,
      backend: 'main',
      state: 'thinking',
      usage,
      outcome: 'lost',
      note: 'a note',
    },
    why: [{ kind: 'steer', text: 'so', steer: 's', task: 'k3xq.1' }],
    reply: { text: 'reply', calls: [call] },
    prompt: {
      ...{ is: 'rebuilt', changed: ['notes'], count: 3, same: 1, tools: ['write_file'] },
      messages: [
        { role: 'assistant', text: 'so far', calls: [call], unfinished: true },
        { role: 'tool', text: 'read', call: 's1-0', images: ['k3xq.1/s1-0/made-0'] },
      ],
    },
  }),
  ...{ task: 'k3xq.1', key: hostileText, type: hostileText, n: 1, of: 2 },
};
const side = {
  ...{ id: 'k3xq.1', type: hostileText, state: hostileText, outcome: null, backends: [hostileText], steps: 1, usage, tookMs: 5 },
  answer: hostileText,
};
const end = { kind: hostileText, added: 1, removed: 1, sha256: 'ab' };
const comparison = (isSameAnswer: boolean): Comparison => ({
  ...{ a: side, b: { ...side, answer: null }, isSameAnswer },
  files: [
    { path: hostileText, a: end, b: { ...end, sha256: null }, isSame: false },
    { path: hostileText, a: null, b: end, isSame: false },
  ],
});
const atStep = [
  { path: hostileText, artifact: null, sha256: 'ab', isSame: false },
  { path: hostileText, artifact: null, sha256: 'unknown', isSame: null },
] as const;
const reply = { text: hostileText, calls: [{ id: hostileText, tool: hostileText, args: { [hostileText]: hostileText } }] };
const places = Array.from({ length: 30 }, () => hostileText);
const line = hostile(TalkLine, {
  ...examples.TalkLine[0],
  replies: (['model', 'code', 'done'] as const).map((by) => ({ by, text: 'reply' })),
} as z.input<typeof TalkLine>);
/** As a list that the keeper's folder has from somebody else. */
const members = [
  { name: hostileText, key: hostileText, roles: ['operator'], since: at, revoked: at },
] as const satisfies Member[];
const wrap = (text: string) => wrapped(text, 60);
const place = { task: 'k3xq.1', actor: 'think', at, node: 'n', epoch: 1, seq: 1, skipped: 3 };
const snapshot = { status: 'active' as const, value: { [hostileText]: hostileText, running: { [hostileText]: 'x' } } };
const event = { type: 'MODEL_SAID', why: hostileText };
const inspections = [
  { ...place, type: '@xstate.actor' as const, machine: 'm', snapshot },
  { ...place, actor: undefined, type: '@xstate.actor' as const, machine: 'm', snapshot },
  { ...place, type: '@xstate.event' as const, event, source: 'act' },
  { ...place, actor: undefined, type: '@xstate.snapshot' as const, event, snapshot },
].map((message) => hostile(Inspected, message));
const lives = examples.Live.map((live) => hostile(Live, live as z.input<typeof Live>));

function drawn(): string[] {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 300, rows: 50 }) as unknown as PassThrough;
  const live = new LiveTree(stream as unknown as NodeJS.WriteStream, plain, () => tree);
  live.print([`an error: ${hostileText}`]);
  live.stop();
  return [String(stream.read())];
}

function flowed(): string[] {
  const rows: string[] = [];
  const flow = new MarkdownFlow({ columns: () => 60, say: (row) => rows.push(`│ ${row}`), paint: plain });
  flow.push(hostileText);
  flow.end();
  return rows;
}

const amount = { inputTokens: 1, outputTokens: 1, costUsd: 1, estimatedUsd: 1 };
const costs = {
  rows: [{ ...{ day: hostileText, root: hostileText, goal: hostileText, backend: hostileText, kind: hostileText }, ...amount }],
  ...{ total: amount, more: 1, reference: { input: 1, output: 1 } },
};

/** By module and export. Each returns what is printed, in lines or whole. */
const rendered: Record<string, () => string | readonly string[]> = {
  'archive exportedLines': () =>
    archive.exportedLines(
      { ...{ id: hostileText, file: hostileText, bytes: 3, tasks: 1, messages: 2, artifacts: 3 }, redacted: places },
      plain,
    ),
  'archive importedLines': () =>
    archive.importedLines(
      {
        ...{ id: hostileText, was: 'k3xq.0', tasks: 1, artifacts: 2, unfinished: 1, redacted: places },
        ...{ coxswain: hostileText, at: hostileText },
      },
      plain,
    ),
  'artifacts artifactLines': () => artifacts.artifactLines(rows, 'k3xq.4', now, plain, 'cox artifacts get'),
  'artifacts savedLine': () =>
    artifacts.savedLine({ file: hostileText, type: hostileText, bytes: 3, sha256: hostileText }, plain),
  'artifacts madeLines': () => artifacts.madeLines(hostileText, ['k3xq.4/s1-0/made-0', hostileText], plain),
  'compare comparisonLines': () => [true, false].flatMap((isSame) => comparisonLines(comparison(isSame), plain)),
  'costs costLines': () => costLines(costs, plain),
  'dead-letters letterLines': () => deadLetters.letterLines(letters, now, plain, 'cox dead'),
  'dead-letters letterLine': () => letters.map((letter) => deadLetters.letterLine(letter, plain)),
  'dead-letters retriedLine': () => retried.map((each) => deadLetters.retriedLine(each, plain)),
  'effects effectTexts': () => effects.effectTexts(status(), plain, 5),
  'effects effectsText': () => effects.effectsText(status(), plain, 5),
  'events statusLines': () =>
    kinds.flatMap((kind) =>
      (['news', 'every step'] as const).flatMap((detail) =>
        events.statusLines(null, status(kind), plain, { detail, answerWith: '/answer', place: { rows: 30, columns: 80 } }),
      ),
    ),
  'events liveLines': () => lives.flatMap((live) => events.liveLines('k3xq.4', live, plain)),
  'events resultLines': () =>
    (['completed', 'failed', 'cancelled'] as const).flatMap((outcome) => [
      ...events.resultLines(result(outcome), plain, false),
      ...(outcome === 'completed' ? [] : events.resultLines(result(outcome), plain, true)),
    ]),
  'fork fileLines': () => forks.fileLines({ files: atStep }, 2, plain),
  'fork writtenLines': () =>
    forks.writtenLines({ written: [hostileText], left: [{ path: hostileText, why: hostileText }] }, hostileText, plain),
  'inbox inboxLines': () => inboxLines(asked, plain, { now, answerWith: 'cox answer', showWith: 'cox status' }),
  'inspected inspectedLines': () => inspections.flatMap((each) => inspected.inspectedLines(each, undefined, plain)),
  'inspected stateText': () => inspections.flatMap((each) => (each.type === '@xstate.event' ? [] : inspected.stateText(each))),
  'live-tree LiveTree': drawn,
  'machines machineLines': () => machineLines([{ name: hostileText, version: 1, file: hostileText, does: hostileText }], plain),
  'markdown MarkdownFlow': flowed,
  'members memberLines': () => memberLines(members, now, plain),
  'menu menuLines': () => menu.menuLines([entry], plain, now),
  'roster rosterLines': () => rosterLines(hostile(RosterReport, rosterShown), hostileText, plain),
  'menu learntLine': () => menu.learntLine(entry.learnt![0]!, now),
  'more moreLines': () => moreLines({ next: hostileText, more: 1 }, plain),
  'nodes nodeLines': () => nodes.nodeLines([report], now, plain),
  'nodes heldText': () => nodes.heldText(report.tasks, now),
  'printable oneLine': () => oneLine(hostileText),
  'printable message': () => message(hostileText, plain),
  'question answerLine': () => kinds.map((kind) => questions.answerLine(hostileText, question(kind), 'cox answer')),
  'question questionText': () => kinds.flatMap((kind) => questions.questionText(question(kind)).map((text) => `    ${text}`)),
  'question questionLines': () =>
    kinds.flatMap((kind) => [
      ...questions.questionLines(hostileText, question(kind), plain, 'cox answer'),
      ...questions.questionLines('k3xq.4', question(kind), plain, null, { rows: 30, columns: 80, showWith: 'show' }),
    ]),
  'receipt receiptLine': () => status().receipts.map((receipt) => receiptLine(hostileText, receipt, plain)),
  'replay stepLines': () => [true, false].flatMap((full) => stepLines(step, plain, { full })),
  'result salvageLines': () =>
    [result('failed'), result('cancelled', 'supervisor'), old('failed')].flatMap((each) => results.salvageLines(each, plain)),
  'result doneLines': () => results.doneLines(result('completed'), plain),
  'result endLine': () =>
    (['completed', 'failed', 'cancelled'] as const).map((outcome) => results.endLine(result(outcome), plain)),
  'status stateText': () => statuses.stateText(wild, plain),
  'status statusLine': () => statuses.statusLine(status(), plain),
  'status statusReport': () => kinds.flatMap((kind) => statuses.statusReport(status(kind), now, plain)),
  'status summaryLines': () => statuses.summaryLines([...summaries, wild], plain),
  'talk echo': () => talk.echo(hostileText, plain),
  'talk markedRows': () => (['model', 'code', 'done'] as const).flatMap((by) => talk.markedRows(by, hostileText, plain, wrap)),
  'talk talkRows': () => talk.talkRows(line, plain, wrap),
  'tree treeLines': () => trees.treeLines(tree, plain),
  'tree nodeLine': () => tree.map((each) => trees.nodeLine(each, plain, 500)),
  'undo undoLines': () => undoLines(undo, plain),
  'what-if whatIfLines': () =>
    whatIfLines(
      { ...{ task: hostileText, step: 1, backend: hostileText, reply, usage }, was: { backend: hostileText, reply, usage } },
      plain,
    ),
};

/** These put no text of a stranger into a line: numbers, times, measures, brushes, our own words. */
const withoutForeignText = new Set([
  ...[
    'artifacts isRefOfMade',
    'clip clip',
    'diff diffBrushes',
    'figures ago',
    'figures byteCount',
    'figures dollars',
    'figures tokens',
    'figures usageText',
    'fit fitting',
  ],
  ...['paint paintFor', 'printable printable', 'progress progressLine', 'progress tenths', 'question brushesFor', 'talk markOf'],
  ...['times shortTime', 'times timeAndAge', 'width graphemes', 'width head', 'width widthOf'],
]);

test.each(Object.entries(rendered))('%s prints nothing of a stranger but words', (name, render) => {
  const printed = [render()].flat();
  expect(printed.join('').length).toBeGreaterThan(0);
  if (name !== 'live-tree LiveTree' && name !== 'printable message') for (const line of printed) expect(line).not.toContain('\n');
  // Without colours of ours, every escape would be a stranger's.
  expect(printed.join('\n')).not.toContain('\u001b');
  expect(strangeLines(printed.join('\n'))).toEqual([]);
});

test('every function of cli/render is in the table above', async () => {
  const folder = join(import.meta.dirname, '../../../cli/render');
  const exported = await Promise.all(
    readdirSync(folder).map(async (file) => {
      const module: Record<string, unknown> = await import(join(folder, file));
      const functions = Object.keys(module).filter((name) => typeof module[name] === 'function');
      return functions.map((name) => `${file.replace(/\.ts$/, '')} ${name}`);
    }),
  );
  expect(exported.flat().sort()).toEqual([...Object.keys(rendered), ...withoutForeignText].sort());
});

test('the hostile text is one', () => {
  expect(strangeLines(hostileText).length).toBeGreaterThan(2);
  expect(strangeLines(printable(hostileText))).toHaveLength(2);
  expect(strangeLines('\u001b[31mours\u001b[39m')).toEqual([]);
});
