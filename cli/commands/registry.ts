/** Every command of `cox`: what `--help`, completion and docs/cli.md are made from. What a command does is in the file it loads. */
import type { Command, OptionRow } from '../cli.ts';
import { urgencyOptions, type VerbName, verbs } from '../verbs.ts';

const noWait = ['--no-wait', 'send it and do not wait for the receipt'] as const;
const expectStep = ['--expect-step <n>', 'return it if the task has left this step'] as const;

const hosting: Command['options'] = [
  ['--types <types>', 'only these kinds of task, separated by commas (default: all)'],
  ['--slots <n>', 'new tasks of one kind at once, and as many that go on (default: 8)'],
];

/** What `--help` of a steering command shows beside its summary. */
const steeringHelp: Readonly<Record<VerbName, { readonly example: string; readonly options?: Command['options'] }>> = {
  steer: {
    example: 'cox steer k3xq.4 "use my work email" --next',
    options: [
      [urgencyOptions.now, 'interrupt what it is doing (the default)'],
      [urgencyOptions['next-step'], 'say it with the next model call'],
      [urgencyOptions.after, 'say it when the task would otherwise end'],
      expectStep,
    ],
  },
  answer: { example: 'cox answer k3xq.4 q1 "yes, the blue one"' },
  cancel: { example: 'cox cancel k3xq "wrong folder"' },
  redirect: { example: 'cox redirect k3xq.4 "only the year 2024"', options: [expectStep] },
  swap: { example: 'cox swap k3xq.4 frontier' },
  pause: { example: 'cox pause k3xq.4' },
  resume: { example: 'cox resume k3xq.4' },
  budget: { example: 'cox budget k3xq.4 10 0.50' },
  add: { example: 'cox add k3xq report:a,b reasoning "Compare what a and b found"' },
  drop: { example: 'cox drop k3xq README.md' },
  rerun: { example: 'cox rerun k3xq README.md "only the headings"' },
  retarget: { example: 'cox retarget k3xq README.md frontier' },
};

const steering = (name: VerbName): Command => {
  const { example, options = [] } = steeringHelp[name];
  return {
    name,
    summary: verbs[name].summary,
    args: `<id> ${verbs[name].args}`.trim(),
    options: [...options, noWait],
    example,
    load: async () => (await import('./steer.ts')).steering(name),
  };
};

/** Of every command. */
export const globalOptions: readonly OptionRow[] = [
  ['--json', 'print one JSON object on stdout and nothing else there'],
  ['--verbose', 'show the log on stderr'],
  ['--roster <file>', 'the roster of backends and agents'],
  ['--workspace <dir>', 'where file tools may look (default: the current folder)'],
  ['--namespace <name>', 'the first word of every subject (default: cox)'],
  ['--no-color', 'no colours, also on a terminal'],
];

export const commands: readonly Command[] = [
  {
    name: 'start',
    summary: 'talk to the primary agent and steer tasks (the default)',
    options: [['--slots <n>', 'tasks of one kind at once in this process (default: 8)']],
    load: async () => (await import('./start.ts')).run,
  },
  {
    name: 'run',
    summary: 'reach a goal: split it, work on the parts in parallel, print one answer',
    args: '<goal...>',
    options: [
      ['--deadline <minutes>', 'end it with what was found after so many minutes'],
      ['--slots <n>', 'tasks of one kind at once in this process (default: 8)'],
      ['--plan <file>', 'a plan of your own, as YAML or JSON, in place of one by the model'],
    ],
    example: 'cox run "Which of these files mention a licence?"    cox run - < goal.txt',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'dispatch',
    summary: 'hand a task to the crew and return at once',
    args: '<type> <instruction...>',
    options: [
      ['--backend <backend>', 'a backend by name instead of the routing'],
      ['--needs <good_at>', 'what its backend must be good at, separated by commas'],
      ['--deadline <minutes>', 'end it with what was found after so many minutes'],
    ],
    example: 'cox dispatch files "Summarize README.md"',
    load: async () => (await import('./dispatch.ts')).run,
  },
  {
    name: 'status',
    summary: 'what a task is doing, or all tasks',
    args: '[id]',
    options: [['--all', 'finished tasks too']],
    ended: true,
    load: async () => (await import('./status.ts')).run,
  },
  ...(Object.keys(verbs) as VerbName[]).map(steering),
  {
    name: 'result',
    summary: 'the result of a task; waits for it',
    args: '<id>',
    options: [['--no-wait', 'say at once if there is none yet (exit code 10)']],
    ended: true,
    load: async () => (await import('./result.ts')).run,
  },
  {
    name: 'tree',
    summary: 'a goal and its sub-tasks, with backends, tokens and cost',
    args: '<id>',
    ended: true,
    load: async () => (await import('./tree.ts')).run,
  },
  {
    name: 'watch',
    summary: 'what happens, as it happens; with --json one event a line',
    args: '[id]',
    options: [['--tokens', 'what the models say too, as it comes']],
    load: async () => (await import('./watch.ts')).run,
  },
  {
    name: 'up',
    summary: 'a node without a prompt: works on the tasks of the crew until it is stopped',
    options: hosting,
    load: async () => (await import('./up.ts')).run,
  },
  {
    name: 'worker',
    summary: 'a node for a crew that is there, on this machine or at NATS_URL; starts no server',
    options: hosting,
    example: 'NATS_URL=nats://crew.example.org cox worker --types files,reasoning --slots 8',
    load: async () => (await import('./worker.ts')).run,
  },
  {
    name: 'nodes',
    summary: 'who is in the crew: what they work on, what they hold and since when',
    load: async () => (await import('./nodes.ts')).run,
  },
  {
    name: 'dead',
    summary: 'what was given up after it had killed its workers: list it, retry <id>, or drop <id>',
    args: '[retry|drop] [letter]',
    example: 'cox dead    cox dead retry k3xq.4    cox dead drop k3xq.4',
    load: async () => (await import('./dead.ts')).run,
  },
  {
    name: 'menu',
    summary: 'the backends of the roster: what they are good at, cost, whether they can be used and why not',
    load: async () => (await import('./menu.ts')).run,
  },
  {
    name: 'gc',
    summary: 'purge finished tasks that the roster keeps no longer, each with its whole tree',
    options: [
      ['--older-than <time>', 'those finished for so long: 90s, 12h, 7d (default: the roster’s retention.finished_after)'],
      ['--dry-run', 'only say what would go'],
    ],
    example: 'cox gc --older-than 7d --dry-run',
    load: async () => (await import('./gc.ts')).run,
  },
  {
    name: 'doctor',
    summary: 'what is found, what is missing, how to mend it',
    load: async () => (await import('./doctor.ts')).run,
  },
  {
    name: 'completion',
    summary: 'a completion script for your shell',
    args: '<bash|zsh|fish>',
    example: 'source <(cox completion bash)',
    load: async () => (await import('./completion.ts')).run,
  },
  {
    name: 'complete',
    summary: 'what may stand at the end of a command line: for the script of cox completion',
    args: '[words...]',
    hidden: true,
    load: async () => (await import('./complete.ts')).completing({ commands, globals: globalOptions }),
  },
];
