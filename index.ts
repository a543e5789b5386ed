/**
 * Coxswain as a library: define a kind of sub-agent, join a crew, host a node, dispatch, steer and watch. docs/library.md shows how;
 * docs/architecture.md says what happens underneath. What is not exported here may change at any time.
 *
 * Everywhere: times are ISO 8601 in UTC, durations milliseconds (names end in Ms), costs US dollars, tokens as the backend counted them.
 * What fails throws a CoxError: `code` is for programs, `hint` says what to do next. Waiting functions take an AbortSignal.
 */

// A kind of sub-agent: a prompt and tools.
export { defineKind, type KindDefinition } from './actors/kinds/define-kind.ts';
export type { CodeReply, Kind, ThinkInCode, Thought } from './actors/kinds/kind.ts';
// A crew to join, and a node that works in it.
export type { CrewSession, JoinOptions } from './actors/node/join.ts';
export { joinCrew, type StartOptions, startNode } from './actors/node/library.ts';
export type { CoxNode } from './actors/node/node.ts';
export type { Primary, PrimaryEvent } from './actors/primary/primary.ts';
export { listFiles, readFileTool, searchFiles, writeFileTool } from './actors/tools/files.ts';
export { defineTool, type Tool, type ToolContext, type ToolOutput } from './actors/tools/tool.ts';
export { type Collected, type CollectOptions, collect, type Keep, type PurgedTree } from './bus/capacity/retention.ts';
// What one does with tasks, as any client of the bus may.
export { Crew, type Sent } from './bus/crew.ts';
export { Memory, type Note } from './bus/memory.ts';
// The messages: each a zod schema and the type of the same name.
export {
  DeadLetter,
  Failure,
  Live,
  NodeReport,
  PlanSpec,
  PlanTask,
  Question,
  Receipt,
  Result,
  Status,
  type SteeringInput,
  SteeringMessage,
  TaskSpec,
  TaskState,
  TreeNode,
  Urgency,
  Usage,
} from './bus/messages.ts';
export { allNodes } from './bus/nodes.ts';
export { DeadLetters, type Retried } from './bus/queue/dead-letters.ts';
export type { TaskSummary } from './bus/state/tree.ts';
export { isTaskId, type TaskId } from './bus/task-id.ts';
export type { CrewEvent } from './bus/watch.ts';
export { CoxError } from './platform/errors.ts';
export { type Folders, foldersOf } from './platform/folders.ts';
export { type Log, openLog } from './platform/log.ts';
// Who can think.
export { ModelError, RosterError, type RosterProblem } from './roster/errors.ts';
export { loadRoster, parseRoster } from './roster/load.ts';
export type { MenuEntry } from './roster/menu.ts';
export type { Roster } from './roster/schema.ts';
