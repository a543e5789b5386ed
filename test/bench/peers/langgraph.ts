/**
 * LangGraph.js: a graph that sends each sub-task to a node, collects the results with a reducer, and checkpoints after each step.
 */
import { type Contender, type Start, timed } from './contender.ts';
import { installed } from './packages.ts';
import { type PostgresAddress, postgres } from './postgres-server.ts';

const version = '1.7.3';
const packages = [`@langchain/langgraph@${version}`, '@langchain/core@1.4.0', '@langchain/langgraph-checkpoint-postgres@1.0.5'];

interface State {
  readonly instructions: string[];
  readonly results: string[];
  readonly answer: string;
}
interface Checkpointer {
  deleteThread(id: string): Promise<void>;
}
interface Graph {
  addNode(name: string, run: (state: State & { instruction: string }) => Partial<State>): Graph;
  addEdge(from: string, to: string): Graph;
  addConditionalEdges(from: string, to: (state: State) => unknown[]): Graph;
  compile(options: { checkpointer: Checkpointer }): {
    invoke(state: Partial<State>, config: { configurable: { thread_id: string } }): Promise<State>;
  };
}
interface Library {
  Annotation: { (options?: object): unknown; Root(fields: object): unknown };
  StateGraph: new (state: unknown) => Graph;
  Send: new (node: string, state: object) => unknown;
  MemorySaver: new () => Checkpointer;
  START: string;
  END: string;
}

function contender(library: Library, checkpointer: Checkpointer): Pick<Contender, 'fanOut'> {
  const { Annotation, StateGraph, Send, START, END } = library;
  const state = Annotation.Root({
    instructions: Annotation(),
    results: Annotation({ reducer: (all: string[], more: string[]) => all.concat(more), default: () => [] }),
    answer: Annotation(),
  });
  const graph = new StateGraph(state)
    .addNode('echo', ({ instruction }) => ({ results: [instruction] }))
    .addNode('reduce', ({ results }) => ({ answer: results.join('\n') }))
    .addConditionalEdges(START, ({ instructions }) => instructions.map((instruction) => new Send('echo', { instruction })))
    .addEdge('echo', 'reduce')
    .addEdge('reduce', END)
    .compile({ checkpointer });
  let goals = 0;
  return {
    async fanOut(size) {
      const thread = `goal-${goals++}`;
      const us = await timed(size, async (instructions) => {
        const { answer } = await graph.invoke({ instructions }, { configurable: { thread_id: thread } });
        return answer;
      });
      await checkpointer.deleteThread(thread);
      return us;
    },
  };
}

export const langGraphInMemory: Start = async (surroundings) => {
  const { load } = await installed('langgraph', packages, surroundings);
  const library: Library = load('@langchain/langgraph');
  return {
    name: `LangGraph.js ${version}, MemorySaver`,
    stores: 'nothing: checkpoints in memory, gone with the process',
    ...contender(library, new library.MemorySaver()),
  };
};

interface Pool {
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
}

export const langGraphOnPostgres: Start = async (surroundings) => {
  const { load } = await installed('langgraph', packages, surroundings);
  const library: Library = load('@langchain/langgraph');
  const { PostgresSaver } = load('@langchain/langgraph-checkpoint-postgres') as {
    PostgresSaver: new (pool: Pool) => Checkpointer & { setup(): Promise<void> };
  };
  const { Pool } = load('pg') as { Pool: new (address: PostgresAddress) => Pool };
  const { address, version: server } = await postgres(surroundings, async (to) => {
    const pool = new Pool(to);
    await pool.query('select 1').finally(() => pool.end());
  });
  const pool = new Pool(address);
  surroundings.ends.defer(() => pool.end());
  const checkpointer = new PostgresSaver(pool);
  await checkpointer.setup();
  return {
    name: `LangGraph.js ${version}, PostgresSaver`,
    stores: `a checkpoint for each step of the goal, the writes of each sub-task (${server}, fsync off)`,
    ...contender(library, checkpointer),
  };
};
