/** The tools that a kind of the roster may name on every node; `memory.ts` adds those that need the bus. */
import { askOperator } from './ask-operator.ts';
import { listFiles, readFileTool, searchFiles, writeFileTool } from './files.ts';
import type { Tool } from './tool.ts';

export const shippedTools: readonly Tool[] = [listFiles, readFileTool, searchFiles, writeFileTool, askOperator];
