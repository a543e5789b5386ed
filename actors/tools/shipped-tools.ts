/** The tools that a kind of the roster may name on every node; `memory.ts` adds those that need the bus. */
import { askOperator } from './ask-operator.ts';
import { applyPatch } from './files/apply-patch.ts';
import { editFileTool } from './files/edit-file.ts';
import { listFiles } from './files/list-files.ts';
import { readFileTool } from './files/read-file.ts';
import { searchFiles } from './files/search-files.ts';
import { writeFileTool } from './files/write-file.ts';
import { readArtifactTool } from './read-artifact.ts';
import type { Tool } from './tool.ts';

/** Tools that work on the files of the workspace. */
export const fileTools: readonly Tool[] = [listFiles, readFileTool, searchFiles, writeFileTool, editFileTool, applyPatch];

export const shippedTools: readonly Tool[] = [...fileTools, readArtifactTool, askOperator];
