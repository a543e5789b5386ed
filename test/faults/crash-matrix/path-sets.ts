/** The generated paths that can be walked on real tasks, each with the outcome of the chart alone. */
import type { AnyEventObject } from 'xstate';
import type { SubAgentEvent, SubAgentOutput } from '../../../machines/sub-agent.ts';
import { supervisor } from '../../../machines/supervisor.ts';
import type { SupervisorContext, SupervisorEvent } from '../../../machines/supervisor-context.ts';
import { walkWithCrash } from '../../models/crash.ts';
import { label as labelOfSubAgent } from '../../models/sub-agent/alphabet.ts';
import { crashSense as subAgentSense } from '../../models/sub-agent/crash.ts';
import { smallPaths as subAgentPaths } from '../../models/sub-agent/explore.ts';
import { model as subAgentModel } from '../../models/sub-agent/model.ts';
import { label as labelOfSupervisor } from '../../models/supervisor/alphabet.ts';
import { crashSense as supervisorSense } from '../../models/supervisor/crash.ts';
import { asking, smallPaths as supervisorPaths } from '../../models/supervisor/explore.ts';
import { model as supervisorModel } from '../../models/supervisor/model.ts';
import { Walk } from '../../models/walk.ts';
import { GoalWalk } from './goal-walk.ts';
import { outcomeOf, type PathSense } from './path-trial.ts';
import { PathWalk } from './path-walk.ts';

export interface Charted<Event> {
  readonly path: readonly Event[];
  /** The outcome of the chart without a crash. */
  readonly expected: string;
  readonly name: string;
}
export interface PathSet<Event> {
  readonly sense: PathSense<Event>;
  readonly paths: readonly Charted<Event>[];
}

/** The trial itself decides about time and crashes. */
const isLeftOut = ({ type }: AnyEventObject) => ['RESTORED', 'DEADLINE_PASSED', 'DRAIN_EXPIRED', 'CHILDREN_WAIT'].includes(type);

function charted<Event extends AnyEventObject>(
  paths: readonly (readonly Event[])[],
  label: (event: Event) => string,
  expectedOf: (path: readonly Event[]) => string | null,
): Charted<Event>[] {
  return paths
    .filter((path) => !path.some(isLeftOut))
    .flatMap((path) => {
      const expected = expectedOf(path);
      return expected === null ? [] : [{ path, expected, name: path.map(label).join(' → ') }];
    });
}

export function ofSubAgent(): PathSet<SubAgentEvent> {
  const chart = subAgentModel();
  return {
    paths: charted(
      subAgentPaths(false),
      labelOfSubAgent,
      (path) => walkWithCrash(chart, subAgentSense, path, -1)?.summary ?? null,
    ),
    sense: {
      walk: (stage) => new PathWalk(stage),
      summary: (record, sent) => {
        const { answer } = record.snapshot!.output as SubAgentOutput;
        return JSON.stringify([outcomeOf(record)?.kind, answer !== null, sent]);
      },
    },
  };
}

export function ofSupervisor(): PathSet<SupervisorEvent> {
  const chart = supervisorModel(supervisor, asking);
  const paths = supervisorPaths().filter((path) => isAsAModelPlans(path) && !reducesNothing(chart, path));
  return {
    paths: charted(paths, labelOfSupervisor, (path) => {
      const plain = walkWithCrash(chart, supervisorSense, path, -1);
      return plain && comparable(...(JSON.parse(plain.summary) as [string, boolean, string[], string[]]));
    }),
    sense: {
      walk: (stage) => new GoalWalk(stage),
      summary: (record, sent) => {
        const { nodes, answer } = record.snapshot!.context as unknown as SupervisorContext;
        const tasks = Object.values(nodes).map(({ key, status, attempt }) => `${key} ${status} ${attempt}`);
        return comparable(outcomeOf(record)?.kind ?? '', answer !== null, tasks, sent);
      },
    },
  };
}

/**
 * Whether no sub-task has a result: then no model is asked to reduce, and the facts of the path about the reduction cannot be
 * brought about.
 */
function reducesNothing(chart: ReturnType<typeof supervisorModel>, path: readonly SupervisorEvent[]): boolean {
  const walking = new Walk(chart);
  try {
    return path.some((event, i) => {
      if (walking.isOver || !walking.canHappen(event)) return false;
      walking.go(event);
      const { nodes }: SupervisorContext = walking.rig.snapshot.context;
      const hasResult = Object.values(nodes).some(({ status }) => status === 'returned');
      return walking.look.state === 'reducing' && !hasResult && i < path.length - 1;
    });
  } finally {
    walking.rig.stop();
  }
}

/** Makes two outcomes comparable. Sub-tasks of a stopped goal return in any way, so only its end and its steers count. */
const comparable = (kind: string, isAnswered: boolean, tasks: readonly string[], sent: readonly string[]): string =>
  JSON.stringify(kind === 'completed' ? [kind, isAnswered, tasks, sent] : [kind, sent]);

/**
 * Whether a model could have planned it: sub-tasks and an orchestrator to reduce them, once, and no new plan after a redirect.
 */
function isAsAModelPlans(path: readonly SupervisorEvent[]): boolean {
  const plans = path.filter((event) => event.type === 'PLANNED');
  const isRedirected = path.some(
    ({ type }, i) => type === 'REDIRECT' && path.slice(0, i).some((event) => event.type === 'PLANNED'),
  );
  return (
    !isRedirected && plans.length <= 1 && plans.every(({ nodes, reduce }) => nodes.length > 0 && reduce.by === 'orchestrator')
  );
}
