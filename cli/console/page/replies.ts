/** Replies of the service that have no type of their own in bus/messages.ts. */
import type { DeadLetter, Question, TaskState, TreeNode } from '../../../bus/messages.ts';

interface Paged {
  readonly next: string | null;
  readonly more: number;
}
/** A row of `tasks`. */
export interface TaskRow {
  readonly id: string;
  readonly parent: string | null;
  readonly key: string | null;
  readonly type: string;
  readonly instruction: string;
  readonly state: TaskState;
  readonly outcome: TreeNode['outcome'];
  readonly question: Question | null;
  readonly step: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}
export interface TasksReply extends Paged {
  readonly tasks: readonly TaskRow[];
}
export interface TreeReply extends Paged {
  readonly nodes: readonly TreeNode[];
}
/** A row of `questions`. */
export interface OpenQuestion {
  readonly id: string;
  readonly goal: string;
  readonly goalInstruction: string | null;
  readonly key: string | null;
  readonly type: string;
  readonly instruction: string;
  readonly question: Question;
  readonly askedAt: string;
  readonly blocked: number;
}
export interface QuestionsReply extends Paged {
  readonly questions: readonly OpenQuestion[];
}
/** A row of `menu`; a node with a newer version may tell more. */
export interface MenuEntry {
  readonly name: string;
  readonly kind: string;
  readonly tier: string;
  readonly model?: string | null;
  readonly goodAt: readonly string[];
  readonly available: boolean;
  readonly why?: string | null;
  readonly canOrchestrate?: boolean;
  readonly vision?: boolean;
  readonly cost: { readonly input: number; readonly output: number } | null;
  readonly context?: number | null;
  readonly learnt?: readonly { readonly what: string; readonly why: string; readonly since: string }[];
}
export interface MenuReply {
  readonly backends: readonly MenuEntry[];
}
/** The reply to `room`. */
export interface RoomReply {
  readonly streams: readonly {
    readonly name: string;
    readonly messages: number;
    readonly bytes: number;
    readonly maxBytes: number | null;
  }[];
  readonly queues: readonly { readonly type: string; readonly waiting: number; readonly working: number }[];
  readonly notes: readonly { readonly key: string; readonly text: string; readonly from: string; readonly at: string }[];
  readonly server: { readonly version: string; readonly storedBytes: number; readonly maxBytes: number | null };
}
export interface DeadReply extends Paged {
  readonly letters: readonly DeadLetter[];
}
