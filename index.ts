/**
 * Coxswain as a library: define a kind of sub-agent, join a crew, host a node, dispatch, steer and watch. docs/library.md shows
 * how; docs/architecture.md describes the runtime underneath. Everything that is not exported here may change at any time.
 *
 * Units: times are ISO 8601 in UTC, durations are milliseconds (their names end in Ms), costs are US dollars, the backend counts
 * tokens. Errors are CoxErrors: programs match `code`, and `hint` tells people the next step. Functions that wait take an
 * AbortSignal.
 */

// A kind of sub-agent: a prompt and tools.
export { defineKind, type KindDefinition } from './actors/kinds/define-kind.ts';
export type { CheckInCode, CodeReply, Kind, ThinkInCode, Thought } from './actors/kinds/kind.ts';
// A crew to join, and a node that works in it.
export type { CrewSession, JoinOptions } from './actors/node/join.ts';
export { joinCrew, type StartOptions, startNode } from './actors/node/library-api.ts';
export type { CoxNode } from './actors/node/node.ts';
export type { Primary, PrimaryEvent } from './actors/primary/events.ts';
export { applyPatch } from './actors/tools/files/apply-patch.ts';
export { editFileTool } from './actors/tools/files/edit-file.ts';
export { listFiles } from './actors/tools/files/list-files.ts';
export { readFileTool } from './actors/tools/files/read-file.ts';
export { searchFiles } from './actors/tools/files/search-files.ts';
export { writeFileTool } from './actors/tools/files/write-file.ts';
export { readArtifactTool } from './actors/tools/read-artifact.ts';
export {
  defineTool,
  type Kept,
  type Making,
  Outdated,
  type Tool,
  type ToolContext,
  type ToolOutput,
} from './actors/tools/tool.ts';
export type { Content, MadeArtifact } from './bus/artifacts/artifacts.ts';
export { type Collected, type CollectOptions, collect, type Keep, type PurgedTree } from './bus/capacity/retention.ts';
export type { CostQuery, Costs } from './bus/costs/costs.ts';
// Operations on tasks. Every client of the bus may call them.
export { Crew, type Sent } from './bus/crew.ts';
export type { CrewEvent } from './bus/crew-events.ts';
export type { ForkOptions } from './bus/journal/fork.ts';
export { JournalReply, JournalStep, Why } from './bus/journal/journal-messages.ts';
// The messages: each name is a zod schema and a type.
export {
  ArtifactRow,
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
export type { Page, PageQuery } from './bus/page.ts';
export { DeadLetters, type LetterQuery, type Retried } from './bus/queue/dead-letters.ts';
export { Memory, type Note } from './bus/shared-memory.ts';
export type { OpenQuestion, QuestionQuery } from './bus/state/open-questions.ts';
export type { TaskQuery } from './bus/state/task-list.ts';
export type { TaskSummary } from './bus/state/tree.ts';
export { isTaskId, type TaskId } from './bus/task-id.ts';
export { planUndo, startUndo, type UndoPlan } from './bus/undo.ts';
export { CoxError } from './platform/errors.ts';
export { type Folders, foldersOf } from './platform/folders.ts';
export { type Log, openLog } from './platform/log.ts';
// The roster, and the errors of models and rosters.
export { ModelError, RosterError, type RosterProblem } from './roster/errors.ts';
export { loadRoster, parseRoster } from './roster/load.ts';
export type { MenuEntry } from './roster/menu.ts';
export type { Roster } from './roster/schema.ts';
