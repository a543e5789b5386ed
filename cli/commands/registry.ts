/** The table of all commands of `cox`, for the parser, `--help` and completion. The code of a command is in the file it loads. */
import type { Command, OptionRow } from '../cli.ts';
import { urgencyOptions, type VerbName, verbs } from '../verbs.ts';

const noWait = ['--no-wait', 'send the message and do not wait for its receipt'] as const;
const expectStep = ['--expect-step <n>', 'return the message if the task is not at this step'] as const;

const hosting: Command['options'] = [
  ['--types <types>', 'work only on these kinds of task, separated by commas (default: all)'],
  ['--slots <n>', 'new tasks of one kind at once, plus as many that continue after a wait (default: 8)'],
  ['--metrics [address]', 'serve figures for Prometheus at /metrics on this host:port (default: 127.0.0.1:9464)'],
];

/** Options of a console. */
const consoleRows: readonly OptionRow[] = [
  ['--port <n>', 'serve the page on this port of 127.0.0.1 (default: any free one)'],
  ['--no-open', 'print the link and open no browser'],
  ['--websocket <url>', 'with NATS_URL: the WebSocket of that server, which the page reads at'],
  ['--credentials <file>', 'with NATS_URL: the file of a member with the role console, for the page'],
];
const consoleNotes = `The link opens one session, in one browser, for twelve hours. The page only reads, with credentials of its own that expire;
it sends orders once it is unlocked, for ten minutes at a time.`;

/** Options of the commands that list (cli/page-options.ts). */
const pageRows: readonly OptionRow[] = [
  ['--limit <n>', 'list at most this many (default: 100)'],
  ['--after <place>', 'go on after the last one of an earlier list, which names the place'],
  ['--root <id>', 'list only what belongs to this goal'],
];
const filterRows: readonly OptionRow[] = [
  ['--type <type>', 'list only tasks of this kind'],
  ['--since <time>', 'list only what is younger than this: 90s, 12h, 7d'],
];

const answerNotes = `The numbers are those of the last "cox inbox" in this shell: a number that was not shown here, or whose question
is not open any more, answers nothing (exit codes 2 and 4). "all" answers the questions that take the words as one
of their choices; it shows them and asks first. Without a terminal it needs --yes, and then answers only those
that the last "cox inbox" in this shell has shown.

An approval also takes:
  no, <why>  deny it; the task gets the reason
  edit       change the proposed text in $VISUAL or $EDITOR, and approve what was saved
  goal       allow all calls of this tool in the goal
  always     the same, and write it into the roster in use`;

const runNotes = `On a terminal a question is answered in place. Without one, --on-question decides, and if it is given, on a terminal too:
  wait  show the question and wait until it is answered from elsewhere (cox answer)
  fail  show the question, finish what needs no answer, wait 10 s for an answer from elsewhere, then end with exit
        code 12. The goal is kept with its questions: answer them (cox inbox), and it goes on with the next cox or
        cox up; or cancel it
  deny  deny approvals, and answer "stop" or "no operator" to other questions`;

const replayNotes = `On a terminal: space or → for the next step, b or ← for the one before, q to quit. Otherwise all steps are printed; with
--json one object a line.`;

/** The example and the options of each steering command, which `--help` shows beside its summary. */
const steeringHelp: Readonly<Record<VerbName, { readonly example: string } & Pick<Command, 'options' | 'notes'>>> = {
  steer: {
    example: 'cox steer k3xq.4 "use my work email" --next',
    options: [
      [urgencyOptions.now, 'interrupt the task (the default)'],
      [urgencyOptions['next-step'], 'deliver the text with the next model call'],
      [urgencyOptions.after, 'deliver the text when the task would otherwise end'],
      expectStep,
    ],
  },
  answer: {
    example: 'cox answer k3xq.4 q1 "yes, the blue one"    cox answer 2 approve    cox answer all approve',
    options: [['--yes', 'with all: answer the questions that cox inbox has shown, without asking']],
    notes: answerNotes,
  },
  cancel: { example: 'cox cancel k3xq "wrong folder"' },
  redirect: { example: 'cox redirect k3xq.4 "only the year 2024"', options: [expectStep] },
  allow: { example: 'cox allow k3xq write_file' },
  swap: { example: 'cox swap k3xq.4 frontier --now', options: [[urgencyOptions.now, 'break off the model call in flight']] },
  pause: { example: 'cox pause k3xq.4' },
  resume: { example: 'cox resume k3xq.4' },
  budget: { example: 'cox budget k3xq.4 10 0.50' },
  add: { example: 'cox add k3xq report:a,b reasoning "Compare what a and b found"' },
  drop: { example: 'cox drop k3xq README.md' },
  rerun: { example: 'cox rerun k3xq README.md "only the headings"' },
  retarget: { example: 'cox retarget k3xq README.md frontier' },
};

const steering = (name: VerbName): Command => {
  const { example, options = [], notes } = steeringHelp[name];
  return {
    name,
    summary: verbs[name].summary,
    args: `<id> ${verbs[name].args}`.trim(),
    options: [...options, noWait],
    example,
    ...(notes && { notes }),
    load: async () => (name === 'answer' ? (await import('./answer.ts')).run : (await import('./steer.ts')).steering(name)),
  };
};

/** Options of every command. */
export const globalOptions: readonly OptionRow[] = [
  ['--json', 'print one JSON object on stdout and nothing else there'],
  ['--verbose', 'show the log on stderr'],
  ['--roster <file>', 'use this roster of backends and agents (- for stdin)'],
  ['--workspace <dir>', 'the folder that file tools may use (default: the current folder)'],
  ['--namespace <name>', 'the first word of every subject (default: cox)'],
  ['--no-color', 'print no colours, even on a terminal'],
];

export const commands: readonly Command[] = [
  {
    name: 'start',
    summary: 'open the prompt: talk to the primary agent and steer tasks (the default)',
    options: [['--slots <n>', 'tasks of one kind at once in this process (default: 8)']],
    load: async () => (await import('./start.ts')).run,
  },
  {
    name: 'run',
    summary: 'split a goal, work on the parts in parallel, print one answer',
    args: '<goal...>',
    options: [
      ['--deadline <minutes>', 'end the goal after this many minutes and keep its findings'],
      ['--read-only', 'ask before each call that would change anything, whatever the roster allows'],
      ['--slots <n>', 'tasks of one kind at once in this process (default: 8)'],
      ['--plan <file>', 'use this plan (YAML or JSON; - for stdin) instead of asking a model for one'],
      ['--on-question <wait|fail|deny>', 'what to do when a task asks and nobody can be asked here (default: fail)'],
    ],
    notes: runNotes,
    example: 'cox run "Which of these files mention a licence?"    cox run - < goal.txt',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'dispatch',
    summary: 'hand a task to the crew, print its id and return at once',
    args: '<type> <instruction...>',
    options: [
      ['--backend <backend>', 'use this backend instead of choosing one by routing'],
      ['--needs <good_at>', 'abilities that its backend must have (good_at), separated by commas'],
      ['--deadline <minutes>', 'end the task after this many minutes and keep its findings'],
      ['--read-only', 'ask before each call that would change anything, whatever the roster allows'],
      ['--produces <files>', 'files that the task must have written when it ends, separated by commas'],
    ],
    example: 'cox dispatch files "Summarize README.md"',
    load: async () => (await import('./dispatch.ts')).run,
  },
  {
    name: 'status',
    summary: 'show the state of a task, or list the unfinished tasks',
    args: '[id]',
    options: [
      ['--all', 'list finished tasks too'],
      ['--state <states>', 'list only tasks in one of these states or with one of these outcomes, separated by commas'],
      ...filterRows,
      ...pageRows,
    ],
    example: 'cox status --state failed,cancelled --since 12h',
    ended: true,
    load: async () => (await import('./status.ts')).run,
  },
  {
    name: 'inbox',
    summary: 'list the open questions and approvals of all tasks, oldest first, with numbers that cox answer takes',
    options: pageRows,
    example: 'cox inbox && cox answer 2 approve',
    load: async () => (await import('./inbox.ts')).run,
  },
  ...(Object.keys(verbs) as VerbName[]).map(steering),
  {
    name: 'result',
    summary: 'print the result of a task; waits until the task has ended',
    args: '<id>',
    options: [['--no-wait', 'end with exit code 10 if there is no result yet']],
    ended: true,
    load: async () => (await import('./result.ts')).run,
  },
  {
    name: 'undo',
    summary: 'restore the files that a task or the tasks of a goal have changed; shows them and asks first',
    args: '<id> [step]',
    options: [
      ['--yes', 'undo without a question'],
      ['--dry-run', 'show what it would do, and do nothing'],
    ],
    example: 'cox undo k3xq --dry-run    cox undo k3xq.4 2 --yes',
    ended: true,
    load: async () => (await import('./undo.ts')).run,
  },
  {
    name: 'artifact',
    summary: 'print an artifact: a file as it was before a write, the whole diff of an approval, a long result',
    args: '<ref>',
    example: 'cox artifact k3xq.4/s2-0/0 > before.txt',
    load: async () => (await import('./artifact.ts')).run,
  },
  {
    name: 'artifacts',
    summary: 'list what a task, or a goal with its sub-tasks, has made and replaced; write one into a file',
    args: '<id> [ref]',
    options: [
      ['-o, --output <file>', 'with get: write to this file, into this folder, or - to stdout (default: its own name, here)'],
      ['--force', 'with get: replace a file that is there'],
      ...pageRows.slice(0, 2),
    ],
    example: 'cox artifacts k3xq    cox artifacts get k3xq.4/s2-0/made-0 -o page.png',
    ended: true,
    load: async () => (await import('./artifacts.ts')).run,
  },
  {
    name: 'tree',
    summary: 'show a goal and its sub-tasks with backends, tokens and cost',
    args: '<id>',
    ended: true,
    load: async () => (await import('./tree.ts')).run,
  },
  {
    name: 'replay',
    summary: 'walk the steps of a task or a goal: why each was made, its prompt as it was sent, and its reply; calls no model',
    args: '<id>',
    options: [
      ['--from <step>', 'begin with this step; of a goal, with the step of this number in the order of time'],
      ['--speed <factor>', 'do not wait for keys: show the steps this many times as fast as they were made'],
      ['--full', 'show the whole prompt of each step, and no text cut'],
    ],
    example: 'cox replay k3xq.4    cox replay k3xq --json | less    cox replay k3xq --speed 20',
    notes: replayNotes,
    ended: true,
    load: async () => (await import('./replay.ts')).run,
  },
  {
    name: 'fork',
    summary: 'begin a new task from a step of another one, with another backend or a further correction',
    args: '<id>',
    options: [
      ['--at <step>', 'the step from which it goes on, before the reply of that step'],
      ['--backend <backend>', 'use this backend instead of that of the task'],
      ['--with <text>', 'tell the step this in addition'],
      ['--files <dir>', 'work in this new folder, with the files of the task as they were at that step'],
    ],
    example: 'cox fork k3xq.4 --at 3 --backend frontier    cox fork k3xq.4 --at 2 --with "only the year 2024" --files try',
    ended: true,
    load: async () => (await import('./fork.ts')).run,
  },
  {
    name: 'compare',
    summary: 'show two tasks side by side, such as a task and its fork: answers, files, costs',
    args: '<id> <other>',
    example: 'cox compare k3xq.4 m2zz',
    ended: true,
    load: async () => (await import('./compare.ts')).run,
  },
  {
    name: 'what-if',
    summary: 'send the call of one step again, to another backend, and print its reply; changes nothing, runs no tool',
    args: '<id>',
    options: [
      ['--at <step>', 'the step whose call is sent again'],
      ['--backend <backend>', 'the backend that is asked'],
      ['--yes', 'make a call that is billed without a question'],
    ],
    example: 'cox what-if k3xq.4 --at 3 --backend frontier',
    ended: true,
    load: async () => (await import('./what-if.ts')).run,
  },
  {
    name: 'export',
    summary: 'write a task with all below it into one file, for a bug report or another machine; secrets are masked, and listed',
    args: '<id>',
    options: [
      ['-o, --output <file>', 'write to this file (default: <id>.cox.gz, here)'],
      ['--no-artifacts', 'leave out what calls have made and replaced'],
      ['--force', 'replace a file that is there'],
    ],
    example: 'cox export k3xq -o report.cox.gz',
    ended: true,
    load: async () => (await import('./export.ts')).run,
  },
  {
    name: 'import',
    summary: 'read an exported task; it never runs here: status, tree, result, replay and artifacts show it',
    args: '<file>',
    example: 'cox import report.cox.gz && cox replay k3xq',
    load: async () => (await import('./import.ts')).run,
  },
  {
    name: 'watch',
    summary: 'print events as they happen; with --json one event a line',
    args: '[id]',
    options: [['--tokens', 'print the output of the models too, as it arrives']],
    load: async () => (await import('./watch.ts')).run,
  },
  {
    name: 'console',
    summary: 'open a page in the browser of this machine that shows goals, questions and the crew; starts the bus if none runs',
    options: consoleRows,
    notes: consoleNotes,
    example: 'cox console --no-open',
    load: async () => (await import('./console.ts')).run,
  },
  {
    name: 'inspect',
    summary: 'show what the state machines of tasks do, event by event; or hand it to the Stately Inspector',
    args: '[id]',
    options: [
      ['--effects', 'tell of the effects too, such as model calls'],
      ['--no-past', 'tell only what happens from now on'],
      ['--bridge', 'open a WebSocket on this machine to which inspectors attach, and print its link'],
      ['--port <n>', 'with --bridge: use this port (default: a free one)'],
      ['--origin <urls>', 'with --bridge: pages of these origins may attach, separated by commas'],
      ['--stately [url]', 'with --bridge: print the link of a page that frames the Stately Inspector of the internet'],
    ],
    example: 'cox inspect k3xq.4    cox inspect k3xq --bridge --origin http://localhost:5173',
    ended: true,
    load: async () => (await import('./inspect.ts')).run,
  },
  {
    name: 'machines',
    summary: 'list the charts by which tasks run, or export one for eyes and for other tools',
    args: '[list|export] [machine]',
    options: [
      ['--format <json|mermaid|svg|dot|scxml>', 'the form of an export (default: json)'],
      ['--live <id>', 'mark the state that this task is in and the way that it took; its chart if none is named'],
      ['-o, --output <file>', 'write to this file (default: stdout)'],
      ['--force', 'replace a file that is there'],
      ['--dark', 'draw an SVG in light colours on dark'],
    ],
    example: 'cox machines export sub-agent --format svg -o chart.svg    cox machines export --live k3xq.4 --format mermaid',
    ended: true,
    load: async () => (await import('./machines.ts')).run,
  },
  {
    name: 'up',
    summary: 'run a node without a prompt until it is stopped; starts the bus if none runs',
    options: [
      ...hosting,
      ['--console', 'open a console too, and print its link'],
      ...consoleRows.filter(([flags]) => flags !== '--no-open'),
    ],
    load: async () => (await import('./up.ts')).run,
  },
  {
    name: 'worker',
    summary: 'run a node for an existing crew, on this machine or at NATS_URL; starts no bus',
    options: hosting,
    example: 'NATS_URL=nats://crew.example.org cox worker --types files,reasoning --slots 8',
    load: async () => (await import('./worker.ts')).run,
  },
  {
    name: 'nodes',
    summary: 'list the nodes of the crew: their kinds of task, the tasks they hold and since when',
    load: async () => (await import('./nodes.ts')).run,
  },
  {
    name: 'dead',
    summary: 'list the tasks that were given up because they killed their workers; retry one, drop one or all',
    args: '[retry|drop] [letter]',
    options: [
      ['--all', 'with drop: drop all letters that would be listed without --limit; shows them and asks first'],
      ['--yes', 'with drop --all: drop without a question'],
      ...filterRows,
      ...pageRows,
    ],
    example: 'cox dead    cox dead retry k3xq.4    cox dead drop k3xq.4    cox dead drop --all --type files',
    load: async () => (await import('./dead.ts')).run,
  },
  {
    name: 'menu',
    summary: 'list the backends of the roster: strengths, cost, why one is not available, and what was learnt about it',
    options: [
      ['--probe', 'ask each available backend with two small calls, which hosted ones bill, after forgetting what was learnt'],
    ],
    example: 'cox menu    cox menu --probe',
    load: async () => (await import('./menu.ts')).run,
  },
  {
    name: 'roster',
    summary: 'show or check the roster in use, print its schema, or edit it: comments and order stay',
    args: '[show|check|schema|edit] [words...]',
    options: [['--yes', 'edit: write it without asking']],
    example: 'cox roster edit backends.frontier.opt_in=true "backends.local.good_at=[extract, files]"',
    notes: `An edit is <path>=<value>, with the value as in the file; nothing behind = removes the key, so that its default holds. It is
checked and shown as a diff first. The old file is kept beside the new one, as roster.yaml.bak.`,
    load: async () => (await import('./roster.ts')).run,
  },
  {
    name: 'costs',
    summary: 'show what was spent, also by tasks that were purged, and what a reference model would have cost',
    options: [
      ['--since <time>', 'count only what was used since then, by the day: 12h, 7d, 90d'],
      ['--by <keys>', 'a row for each goal, backend, kind or day; several are separated by commas (default: backend)'],
      ['--limit <n>', 'show at most this many rows (default: 100)'],
    ],
    example: 'cox costs --since 7d --by day,backend',
    load: async () => (await import('./costs.ts')).run,
  },
  {
    name: 'crew',
    summary: 'make a crew with roles on your own NATS server, invite members and revoke them; list them',
    args: '[init|invite|revoke|publish] [name]',
    options: [
      ['--dir <dir>', 'the folder of the keeper of the crew, which has its key (default: crew)'],
      ['--roles <roles>', 'invite: operator, supervisor, worker, observer, console; several are separated by commas'],
      ['--server <url>', 'init: the servers of the crew, so that members need no NATS_URL'],
      ['--jwt', 'init: members log in by JWTs; the configuration of the server does not change with an invitation'],
    ],
    example: 'cox crew init    cox crew invite ann --roles operator    cox crew revoke ann',
    load: async () => (await import('./crew.ts')).run,
  },
  {
    name: 'gc',
    summary: 'purge finished tasks, with their trees, that exceed the retention of the roster',
    options: [
      [
        '--older-than <time>',
        'purge tasks that ended at least this long ago: 90s, 12h, 7d (default: the roster’s retention.finished_after)',
      ],
      ['--dry-run', 'list the tasks, but purge none'],
    ],
    example: 'cox gc --older-than 7d --dry-run',
    load: async () => (await import('./gc.ts')).run,
  },
  {
    name: 'doctor',
    summary: 'check this machine, and say how to fix each problem',
    options: [
      [
        '--install <part>',
        'fetch a part first that is otherwise fetched on first use: browser, ocr, documents, pictures, tracing',
      ],
    ],
    example: 'cox doctor --install browser',
    load: async () => (await import('./doctor.ts')).run,
  },
  {
    name: 'completion',
    summary: 'print a completion script for your shell',
    args: '<bash|zsh|fish>',
    example: 'source <(cox completion bash)',
    load: async () => (await import('./completion.ts')).run,
  },
  {
    name: 'complete',
    summary: 'print candidates for the end of a command line; called by the script of cox completion',
    args: '[words...]',
    hidden: true,
    load: async () => (await import('./complete.ts')).completing({ commands, globals: globalOptions }),
  },
];
